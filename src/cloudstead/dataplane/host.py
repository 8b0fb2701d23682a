"""The only place that starts processes.

Every command is a list, has a timeout, is logged at DEBUG, and its failure becomes a DriverError that names the
command and the end of what it said.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from cloudstead.core.errors import DriverError

log = logging.getLogger(__name__)

_SAID_BYTES_MAX = 2000


async def run(
    command: Sequence[str | Path],
    *,
    input: bytes | None = None,
    timeout_s: float = 30.0,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    ok: frozenset[int] = frozenset({0}),
) -> bytes:
    """Run a command to its end and return its standard output.

    Raises DriverError if it cannot be started, does not end within `timeout_s` (it is killed with its whole
    process group), or ends with a status not in `ok`.
    """
    words = [str(word) for word in command]
    log.debug("run %s", " ".join(words))
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL if input is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env,
            cwd=cwd,
            start_new_session=True,
        )
    except OSError as e:
        raise DriverError(f"{words[0]}: cannot be started: {e.strerror}") from e
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await process.communicate(input)
    except TimeoutError as e:
        _kill_group(process.pid)
        await process.wait()
        raise DriverError(f"{words[0]}: no end after {timeout_s} s") from e
    except asyncio.CancelledError:
        _kill_group(process.pid)
        await process.wait()
        raise
    if process.returncode not in ok:
        said = (err or out)[-_SAID_BYTES_MAX:].decode(errors="replace").strip()
        raise DriverError(f"{' '.join(words[:6])}: status {process.returncode}: {said}")
    return out


async def run_into(command: Sequence[str | Path], output: int, *, timeout_s: float = 30.0) -> None:
    """Run a command whose descendants keep `output` (a file descriptor) as their standard output and error.

    Raises DriverError as `run` does; what went wrong stands in the output.
    """
    words = [str(word) for word in command]
    log.debug("run %s", " ".join(words))
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    except OSError as e:
        raise DriverError(f"{words[0]}: cannot be started: {e.strerror}") from e
    try:
        async with asyncio.timeout(timeout_s):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError) as e:
        _kill_group(process.pid)
        await process.wait()
        if isinstance(e, asyncio.CancelledError):
            raise
        raise DriverError(f"{words[0]}: no end after {timeout_s} s") from e
    if process.returncode:
        raise DriverError(f"{' '.join(words[:6])}: status {process.returncode}")


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
