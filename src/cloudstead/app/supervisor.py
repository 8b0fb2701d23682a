"""Starts the other processes, restarts the ones that fall, ends them in order.

It forks after everything is imported, so that the processes share their memory, and does nothing else: it holds the
listening sockets and the bells, and waits. A child whose supervisor is gone gets SIGTERM from the kernel.
"""

import contextlib
import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Never

log = logging.getLogger(__name__)

_RESTART_S_FIRST = 0.1
_RESTART_S_MAX = 5.0
_STEADY_S = 30.0  # a child that lived this long starts its backoff anew
_STOP_TIMEOUT_S = 15.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Role:
    """A process to keep running: its name, and what it runs. `main` returns when it gets SIGTERM."""

    name: str
    main: Callable[[], None]


@dataclass
class _Child:
    role: Role
    pid: int = 0
    started_s: float = 0.0
    falls: int = 0
    due_s: float = field(default=0.0)  # when to start it (monotonic); meaningful while pid is 0


class Supervisor:
    def __init__(self, roles: Sequence[Role], *, on_change: Callable[[dict[str, int]], None]) -> None:
        """`on_change` is told the pids by role name whenever they change."""
        self._children = [_Child(role) for role in roles]
        self._on_change = on_change
        self._stopping = False

    def run(self) -> None:
        """Keep all roles running until SIGTERM or SIGINT, then end them and return."""
        wake = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, wake)
        while not self._stopping:
            self._start_due()
            got = signal.sigtimedwait(wake, self._wait_s())
            if got is not None and got.si_signo != signal.SIGCHLD:
                self._stopping = True
            self._reap()
        self._stop_all()

    def _wait_s(self) -> float:
        due = [child.due_s for child in self._children if not child.pid]
        return max(0.01, min(due) - time.monotonic()) if due else 60.0

    def _start_due(self) -> None:
        started = False
        for child in self._children:
            if not child.pid and child.due_s <= time.monotonic():
                child.pid = _fork(child.role)
                child.started_s = time.monotonic()
                started = True
        if started:
            self._tell()

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for child in self._children:
                if child.pid == pid:
                    self._fell(child, status)

    def _fell(self, child: _Child, status: int) -> None:
        now = time.monotonic()
        child.falls = 1 if now - child.started_s > _STEADY_S else child.falls + 1
        wait_s = 0.0 if child.falls == 1 else min(_RESTART_S_FIRST * 2**child.falls, _RESTART_S_MAX)
        child.pid, child.due_s = 0, now + wait_s
        if not self._stopping:
            how = os.waitstatus_to_exitcode(status)
            log.warning("%s: ended with status %d; starting it again in %.1f s", child.role.name, how, wait_s)
        self._tell()

    def _stop_all(self) -> None:
        for child in self._children:
            if child.pid:
                os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while any(child.pid for child in self._children):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            signal.sigtimedwait({signal.SIGCHLD}, min(left_s, 1.0))
            self._reap()
        for child in self._children:
            if child.pid:
                log.warning("%s: did not end within %d s; killed", child.role.name, _STOP_TIMEOUT_S)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)

    def _tell(self) -> None:
        self._on_change({child.role.name: child.pid for child in self._children if child.pid})


def _fork(role: Role) -> int:
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be(role, parent)
    return pid


def _be(role: Role, parent: int) -> Never:
    """Run a role in the child. Never returns into the supervisor's code."""
    status = 1
    try:
        _die_with_parent()
        if os.getppid() != parent:
            os._exit(0)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        role.main()
        status = 0
    except KeyboardInterrupt:
        status = 0
    except BaseException:  # the last line of the process: said, then gone
        log.exception("%s: crashed", role.name)
    finally:
        logging.shutdown()
        os._exit(status)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
