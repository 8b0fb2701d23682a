"""Memory for bodies: what was freed is kept for the next one."""

import contextlib
import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_KEPT_BYTES = 64 << 20
_OWN_MAPPING_BYTES = 8 << 20


def keep_freed_memory() -> None:
    """Tell glibc to hold on to freed blocks of up to 8 MiB, 64 MiB in all.

    Left alone it gives a body of a MiB back to the kernel and gets it again page by page, each of them zeroed: that
    costs five times what reading, checking and opening the body does. Another C library is left as it is.
    """
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_MMAP_THRESHOLD, _OWN_MAPPING_BYTES)
