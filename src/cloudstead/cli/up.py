"""`up`: start the cloud, or say that it runs; either way the last lines are what one needs to use it."""

import json
import logging
import os
import select
import shutil
import sys
import time
import traceback
from pathlib import Path

from cloudstead import __version__
from cloudstead.cli import masters, person
from cloudstead.cli.commands import Commands
from cloudstead.cli.daemon import detach
from cloudstead.cli.log_handler import SharedLog
from cloudstead.cli.problems import Problem, refused
from cloudstead.cli.profile import credentials_file, write_profile
from cloudstead.cli.running import Lock, Running, health, locked, running
from cloudstead.cli.setup import missing, setup
from cloudstead.cli.terminal import confirm, program
from cloudstead.core.errors import DriverError, ServiceError
from cloudstead.core.settings import Settings

_START_TIMEOUT_S = 30.0
_POLL_S = 0.02
_DISK_BYTES_MIN = 4 << 20
_LOCK_WAIT_S = 1.0  # others look at the lock for microseconds; who holds it longer means it
_TAIL_BYTES = 4000
_FORMAT = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"


def log_file(settings: Settings) -> Path:
    return settings.data / "logs" / "cloudstead.log"


def up(commands: Commands, settings: Settings, *, detached: bool) -> int:
    found = running(settings.data)
    if found and not found.led and found.wait_until_ended(found.settings.stop_grace_s):
        found = running(settings.data)
    if found:
        return _say_already(found)
    offer_setup(settings)
    masters.require(settings)
    _prepare(settings)
    if detached:
        return _up_detached(commands, settings)
    _announce_when_up(settings)
    status = serve(commands, settings, watched=True)
    print("Cloudstead is down.")
    return status


def offer_setup(settings: Settings) -> None:
    """Where only programs are missing for real instances, say so before the start, and install them if that is wanted."""
    if settings.machines not in ("auto", "oci") or sys.platform != "linux" or os.geteuid() != 0:
        return
    parts = missing(())
    if not parts:
        return
    print(f"Instances need programs that are not here: {', '.join(part.program for part in parts)}.")
    if confirm("Install them now, with apt?"):
        setup((), sure=True)
    else:
        print(f"All else works. To install them later: {program()} setup, then down and up.")


def serve(commands: Commands, settings: Settings, *, watched: bool) -> int:
    """Be the cloud. `watched` also says on the terminal what the log is told."""
    lock = _take_lock(settings)
    lock.announce(settings)
    _log_to(settings, watched=watched)
    write_profile(settings, *commands.root_key(settings))
    record = settings.data / "run" / "processes.json"
    return commands.run(settings, lambda pids: _record(record, pids))


def summary(settings: Settings, health: dict[str, object]) -> str:
    """The lines that tell how to use a cloud that runs."""
    lines = [
        ("endpoint", f"{settings.endpoint}   (HTTPS on the same port; its authority: {program()} ca)"),
        ("profile", f"aws --profile {settings.profile} …   (its key is in {credentials_file()})"),
        (
            "names",
            f"dig @{settings.dns_host} -p {settings.dns_port} …"
            if settings.dns_port
            else "off (dns_port is 0)",
        ),
        ("machines", _machines(health)),
        ("shell", f'eval "$({program()} env)"'),
    ]
    return "\n".join(f"  {name:9} {text}" for name, text in lines)


def _machines(health: dict[str, object]) -> str:
    """The kind that runs instances or, if none can be run, why and what to do."""
    kind, missing = health.get("machines", "?"), health.get("machines_missing")
    if missing:
        return f"{kind}. {missing}"
    return "fake. Instances are only simulated." if kind == "fake" else f"{kind}"


def _say_already(found: Running) -> int:
    """One that has only just been started gets the time to answer that this `up` would have had."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while (said := health(found.settings)) is None and running(found.settings.data):
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    if said is None and running(found.settings.data) is None:
        raise Problem(f"another `up` was quicker, and its cloud ended; see {log_file(found.settings)}")
    if said is None:
        raise Problem(
            f"Cloudstead runs (pid {found.pid}) but does not answer on {found.settings.endpoint}; "
            f"see {log_file(found.settings)}"
        )
    print(f"Cloudstead {found.version} is up already.\n{summary(found.settings, said)}")
    return 0


def _prepare(settings: Settings) -> None:
    for folder in (settings.data, settings.data / "run", settings.data / "logs"):
        person.make_folder(folder)
    if (
        shutil.disk_usage(settings.data).free < _DISK_BYTES_MIN
    ):  # what goes wrong then could not even be logged
        raise Problem(f"The disk that holds {settings.data} is full; free some space and try again.")


def _take_lock(settings: Settings) -> Lock:
    lock = Lock(settings.data)
    deadline = time.monotonic() + _LOCK_WAIT_S
    while not lock.take():
        if running(
            settings.data
        ):  # not waited for: one that waits would start the cloud again after a `down`
            raise Problem("another `up` was quicker")
        if time.monotonic() > deadline:
            raise Problem(
                f"another process works on {settings.data}; wait for it, or stop it: {program()} down"
            )
        time.sleep(_POLL_S)
    return lock


def _log_to(settings: Settings, *, watched: bool) -> None:
    handlers: list[logging.Handler] = [SharedLog(log_file(settings))]
    if watched:
        handlers.append(logging.StreamHandler(sys.stderr))
    logging.basicConfig(level=settings.log_level.upper(), format=_FORMAT, handlers=handlers)


def _record(path: Path, pids: dict[str, int]) -> None:
    draft = path.with_suffix(".draft")
    try:
        draft.write_text(json.dumps(pids), encoding="utf-8")
        draft.replace(path)
    except OSError as e:  # a full disk must not end the supervisor, and with it all the others
        logging.getLogger(__name__).warning("%s: %s", path, e.strerror)


def _up_detached(commands: Commands, settings: Settings) -> int:
    log = log_file(settings)
    from_byte = log.stat().st_size if log.exists() else 0

    def work() -> int:
        try:
            return serve(commands, settings, watched=False)
        except (Problem, DriverError, ServiceError) as e:
            print(e, file=sys.stderr)
        except OSError as e:
            print(refused(e), file=sys.stderr)
        except Exception:  # noqa: BLE001 - the daemon's last words, which the command that started it shows
            traceback.print_exc()
        return 1

    alive = detach(work, log)
    said = _wait_for_health(settings, alive)
    if said is None:
        raise Problem(f"Cloudstead did not start. From {log}:\n{_tail(log, from_byte)}")
    print(f"Cloudstead {__version__} is up.\n{summary(settings, said)}")
    return 0


def _wait_for_health(settings: Settings, alive: int) -> dict[str, object] | None:
    """What the endpoint says once it answers; None if the cloud ended, or too much time passed."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline:
        said = health(settings)
        if said is not None:
            return said
        ended, _, _ = select.select([alive], [], [], _POLL_S)
        if ended and not locked(settings.data):  # not even by another `up` that was quicker than ours
            return None
    return None


def _announce_when_up(settings: Settings) -> None:
    """In the foreground, have a child wait for the first answer and say how to use it."""
    parent = os.getpid()
    if os.fork():
        return
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while os.getppid() == parent and time.monotonic() < deadline:
            said = health(settings)
            if said is not None:
                print(
                    f"Cloudstead {__version__} is up; Ctrl-C stops it.\n{summary(settings, said)}", flush=True
                )
                break
            time.sleep(_POLL_S)
    finally:
        os._exit(0)


def _tail(log: Path, from_byte: int) -> str:
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(from_byte, end - _TAIL_BYTES))
        return file.read().decode(errors="replace").strip() or "(nothing was said)"
