"""Timing beside other libraries, in the same run: `make bench`."""
