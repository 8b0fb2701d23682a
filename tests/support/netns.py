"""Tests that meet the kernel's network do it in namespaces of their own.

`apart` runs a test in a thread with a network and mounts that nobody else has. All that it starts inherits them,
and the kernel takes all of it away with the thread, whatever the test left behind.
"""

import ctypes
import functools
import os
import threading
from pathlib import Path

import pytest

_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_MS_REC_PRIVATE = 0x4000 | 0x40000
_TEST_S_MAX = 100.0

_libc = ctypes.CDLL(None, use_errno=True)


def apart(test):
    """Run the test function in a fresh network and mount namespace, with `lo` up; skip it without root."""

    @functools.wraps(test)
    def run(*arguments, **named):
        if os.geteuid() != 0:
            pytest.skip("needs root")
        failed = []

        def within():
            try:
                _enter()
                test(*arguments, **named)
            except BaseException as e:  # noqa: BLE001 - raised again in the thread that pytest watches
                failed.append(e)

        thread = threading.Thread(target=within, name=f"apart {test.__name__}", daemon=True)
        thread.start()
        thread.join(_TEST_S_MAX)
        assert not thread.is_alive(), f"no end after {_TEST_S_MAX} s"
        if failed:
            raise failed[0]

    return run


def _enter():
    if _libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS):
        pytest.skip("no right to make namespaces here")
    if _libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "making mounts private")
    if os.spawnlp(os.P_WAIT, "ip", "ip", "link", "set", "lo", "up"):
        raise OSError("ip link set lo up")
    # The kernel's settings of a network are those of the thread that opens the file.
    Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 2147483647", encoding="ascii")
