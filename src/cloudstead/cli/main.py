"""From what was typed to the command, and from what went wrong to one line and an exit status."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from cloudstead import __version__
from cloudstead.cli import images, resolver
from cloudstead.cli.arguments import parser
from cloudstead.cli.checks import test
from cloudstead.cli.commands import Commands
from cloudstead.cli.configuration import settings_of
from cloudstead.cli.doctor import doctor
from cloudstead.cli.down import down, reset
from cloudstead.cli.environment import env
from cloudstead.cli.fsck import fsck
from cloudstead.cli.logs import logs
from cloudstead.cli.problems import Problem, refused
from cloudstead.cli.setup import setup
from cloudstead.cli.ssh import Wanted, ssh
from cloudstead.cli.status import status
from cloudstead.cli.up import up
from cloudstead.core.errors import DriverError, ServiceError
from cloudstead.core.settings import SettingsError

_INTERRUPTED = 130
_MISUSED = 2


def main(commands: Commands, argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["test"] and not {"-h", "--help"} & set(words):
            return test(words[1:])  # the words are pytest's, flags and all
        return _run(commands, parser().parse_args(words))
    except Problem as e:
        print(e, file=sys.stderr)
        return e.status
    except SettingsError as e:
        print(e, file=sys.stderr)
        return _MISUSED
    except (DriverError, ServiceError) as e:
        print(e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # `logs | head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as e:
        print(refused(e), file=sys.stderr)
        return 1


def _run(commands: Commands, given: argparse.Namespace) -> int:
    name: str = given.command
    return _RUN[name](commands, given)


def _up(commands: Commands, given: argparse.Namespace) -> int:
    return up(commands, settings_of(given), detached=given.detach)


def _down(commands: Commands, given: argparse.Namespace) -> int:
    return down(commands, settings_of(given), everything=given.all)


def _reset(commands: Commands, given: argparse.Namespace) -> int:
    return reset(commands, settings_of(given), sure=given.yes)


def _status(_commands: Commands, given: argparse.Namespace) -> int:
    return status(settings_of(given), as_json=given.json)


def _logs(_commands: Commands, given: argparse.Namespace) -> int:
    return logs(settings_of(given), given.name, lines=given.lines, follow=given.follow)


def _env(_commands: Commands, given: argparse.Namespace) -> int:
    return env(settings_of(given))


def _ca(commands: Commands, given: argparse.Namespace) -> int:
    print(commands.authority(settings_of(given)), end="")
    return 0


def _ssh(commands: Commands, given: argparse.Namespace) -> int:
    wanted = Wanted(given.instance, given.identity, given.login, given.region, tuple(given.words))
    return ssh(commands, settings_of(given), wanted)


def _doctor(_commands: Commands, given: argparse.Namespace) -> int:
    return doctor(settings_of(given), as_json=given.json)


def _fsck(commands: Commands, given: argparse.Namespace) -> int:
    return fsck(commands, settings_of(given), read_all=given.read)


def _setup(_commands: Commands, given: argparse.Namespace) -> int:
    return setup(given.extras, sure=given.yes)


def _dns(_commands: Commands, given: argparse.Namespace) -> int:
    settings = settings_of(given)
    return resolver.install(settings) if given.action == "install" else resolver.uninstall()


def _image(commands: Commands, given: argparse.Namespace) -> int:
    settings = settings_of(given)
    if given.action == "list":
        return images.show(commands, settings)
    if given.action == "build":
        return images.build(commands, settings, given.name)
    return images.bring(commands, settings, given.name, given.source, given.login)


def _version(_commands: Commands, _given: argparse.Namespace) -> int:
    print(f"cloudstead {__version__}")
    return 0


_RUN: dict[str, Callable[[Commands, argparse.Namespace], int]] = {
    "ca": _ca,
    "dns": _dns,
    "doctor": _doctor,
    "down": _down,
    "env": _env,
    "fsck": _fsck,
    "image": _image,
    "logs": _logs,
    "reset": _reset,
    "setup": _setup,
    "ssh": _ssh,
    "status": _status,
    "up": _up,
    "version": _version,
}
