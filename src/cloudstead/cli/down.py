"""`down` and `reset`: end the control plane, and on request what it made."""

import shutil
import signal
from collections.abc import Callable

from cloudstead.cli.commands import Commands
from cloudstead.cli.problems import Problem
from cloudstead.cli.running import Lock, running
from cloudstead.cli.terminal import Progress, confirm, program
from cloudstead.cli.up import log_file
from cloudstead.core.settings import Settings

_STOP_MARGIN_S = 20.0
#: What a reset leaves in the data folder: what people wrote, trust or paid minutes for, and who the cloud is.
_KEPT = frozenset({"cloudstead.toml", "cloud.json", "images", "tls", "logs", "run"})


def down(commands: Commands, settings: Settings, *, everything: bool) -> int:
    """Machines go on while the cloud is down, unless `everything`."""
    was_up = _stop(settings)
    print("Cloudstead is down." if was_up else "Cloudstead was not up.")
    if everything:
        _alone(settings, lambda: _end_machines(commands, settings))
    return 0


def reset(commands: Commands, settings: Settings, *, sure: bool) -> int:
    """Back to an empty cloud."""
    question = f"Forget every resource in {settings.data}, disks and files included?"
    if not sure and not confirm(question):
        raise Problem(f"Nothing was done. To go on without being asked: {program()} reset --yes")
    _stop(settings)

    def forget() -> None:
        _end_machines(commands, settings)
        _remove_state(settings)

    _alone(settings, forget)
    print("Every resource is forgotten.")
    return 0


def _stop(settings: Settings) -> bool:
    found = running(settings.data)
    if found is None:
        return False
    found.tell(signal.SIGTERM)
    if not found.wait_until_ended(found.settings.stop_grace_s + _STOP_MARGIN_S):
        raise Problem(f"pid {found.pid} does not end; see {log_file(settings)}")
    return True


def _alone(settings: Settings, work: Callable[[], None]) -> None:
    """Do it while nobody else may touch the data folder. Without a folder there is nothing to do."""
    if not (settings.data / "run").is_dir():
        return
    lock = Lock(settings.data)
    if not lock.take():
        raise Problem(f"another process works on {settings.data}; try again when it is done")
    try:
        work()
    finally:
        lock.release()


def _end_machines(commands: Commands, settings: Settings) -> None:
    progress = Progress("machines and networks")
    commands.end_machines(settings, progress)
    progress.done("gone")


def _remove_state(settings: Settings) -> None:
    for path in settings.data.iterdir():
        if path.name in _KEPT:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
