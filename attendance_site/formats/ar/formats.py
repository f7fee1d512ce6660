"""Formats that Django has no Arabic ones for; without them dates are American."""

SHORT_DATETIME_FORMAT = "d/m/Y g:i A"
