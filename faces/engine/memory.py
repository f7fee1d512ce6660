"""Keeping a server's memory small: settings of the C library's allocator.

Photos and the models' inputs are large and short-lived. glibc keeps what is freed, in
a heap for each thread; with four threads and photos of 1920 pixels that is 150 MB.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Final

# <malloc.h>: parameters of mallopt.
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8

_MAPPED_FROM: Final = 4 * 2**20  # bytes: a 640 x 480 detector input still is reused
_HEAPS: Final = 2


def limit_growth() -> None:
    """Give large blocks back when they are freed; share two heaps between all threads.

    Does nothing where the C library is not glibc. May be called any number of times.
    """
    library = _glibc()
    if library is not None:
        library.mallopt(_M_MMAP_THRESHOLD, _MAPPED_FROM)
        library.mallopt(_M_ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Return free memory to the operating system, about 70 MB after a pack was loaded.

    Does nothing where the C library is not glibc.
    """
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
