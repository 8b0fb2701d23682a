"""From a command at a terminal to a process that outlives it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Never


def detach(work: Callable[[], int], output: Path) -> int:
    """Run `work` in a process of its own session, with nothing of ours but `output` to write to.

    Return a descriptor that reads as ended once that process, and all it forked, are gone.
    """
    alive, held = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() == 0:
        os.close(alive)
        _leave(work, output, held)
    os.close(held)
    os.wait()
    return alive


def _leave(work: Callable[[], int], output: Path, held: int) -> Never:
    """In the child: become the daemon by a second fork, so that it can never get a terminal again."""
    os.setsid()
    if os.fork():
        os._exit(0)
    os.umask(0o022)
    os.chdir("/")
    _redirect(output)
    os.set_inheritable(held, False)
    status = 1
    try:
        status = work()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(output: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(nothing)
    os.close(written)
