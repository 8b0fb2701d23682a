"""Every command and flag. The flags of settings are made from `core.settings`; help texts are written once."""

import argparse
from collections.abc import Sequence
from typing import Any, Never, TypeAlias

from cloudstead import __version__
from cloudstead.cli.problems import Problem
from cloudstead.cli.terminal import program
from cloudstead.core.settings import Setting, known

#: Settings that tell which cloud is meant; every command takes them. The rest matters only to what starts one.
_WHICH = ("data",)
#: What `setup --with` can add to the parts that the `oci` machines need.
EXTRAS = ("images", "docker", "tests")


class _Parser(argparse.ArgumentParser):
    def parse_known_args(self, *given: Any, **named: Any) -> Any:
        """What is left over is said by the command it was typed after, not by the program."""
        namespace, left = super().parse_known_args(*given, **named)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return namespace, left

    def error(self, message: str) -> Never:
        raise Problem(f"{self.prog}: {message}\nSee {self.prog} --help", status=2)


_Subcommands: TypeAlias = "argparse._SubParsersAction[_Parser]"  # noqa: SLF001 - it has no other name


def parser() -> argparse.ArgumentParser:
    top = _Parser(
        prog=program(),
        description="AWS you can run yourself: the AWS APIs, with the real thing behind each call.",
        epilog="Settings also come from CLOUDSTEAD_* variables and from cloudstead.toml in the data folder.",
    )
    top.add_argument("--version", action="version", version=f"cloudstead {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=_Parser)
    which, all_ = _settings_flags(_WHICH), _settings_flags([setting.name for setting in known()])
    _add_lifecycle(commands, which, all_)
    _add_looking(commands, which, all_)
    _add_machine(commands, which)
    return top


def _add_lifecycle(commands: _Subcommands, which: _Parser, all_: _Parser) -> None:
    up = commands.add_parser("up", help="start the cloud, or say that it runs", parents=[all_])
    up.add_argument("--detach", action="store_true", help="go on in the background once it answers")
    down = commands.add_parser("down", help="stop the cloud; instances go on", parents=[which])
    down.add_argument("--all", action="store_true", help="end instances and networks too; disks stay")
    reset = commands.add_parser("reset", help="forget every resource", parents=[which])
    reset.add_argument("--yes", action="store_true", help="do not ask")
    test = commands.add_parser("test", help="every check and test of the repository")
    test.add_argument("arguments", nargs="*", metavar="PYTEST-ARGUMENT", help="only pytest, with these")
    commands.add_parser("version", help="say the version")


def _add_looking(commands: _Subcommands, which: _Parser, all_: _Parser) -> None:
    status = commands.add_parser("status", help="what runs, and what it takes", parents=[which])
    status.add_argument("--json", action="store_true", help="for programs")
    logs = commands.add_parser("logs", help="the log, or what it says of one thing", parents=[which])
    logs.add_argument(
        "name", nargs="?", metavar="NAME", help="a service (ec2), a process or a resource's id (i-…)"
    )
    logs.add_argument("-f", "--follow", action="store_true", help="go on as more is written")
    logs.add_argument("-n", "--lines", type=int, default=200, help="how many lines back (%(default)s)")
    commands.add_parser("env", help='for a shell: eval "$(… env)"', parents=[which])
    commands.add_parser("ca", help="the certificate authority behind HTTPS, in PEM", parents=[which])
    ssh = commands.add_parser("ssh", help="log in to an instance", parents=[which])
    ssh.add_argument("instance", metavar="INSTANCE", help="its id, Name tag, DNS name or address")
    ssh.add_argument(
        "-i", "--identity", metavar="KEY", help="the private key; by default KEY-NAME.pem in this folder"
    )
    ssh.add_argument("-l", "--login", metavar="NAME", help="the login name; by default that of its image")
    ssh.add_argument("--region", help="where it runs; by default the cloud's region")
    ssh.add_argument("words", nargs="*", default=[], metavar="COMMAND", help="after --: what to run there")
    fsck = commands.add_parser("fsck", help="whether all objects are there and whole", parents=[which])
    fsck.add_argument("--read", action="store_true", help="read every byte too, and verify it")
    doctor = commands.add_parser(
        "doctor", help="what this machine can do, and what is missing", parents=[all_]
    )
    doctor.add_argument("--json", action="store_true", help="for programs")


def _add_machine(commands: _Subcommands, which: _Parser) -> None:
    setup = commands.add_parser("setup", help="install the system parts; the only thing that touches apt")
    setup.add_argument("--yes", action="store_true", help="do not ask")
    setup.add_argument(
        "--with", dest="extras", action="append", choices=EXTRAS, default=[], help="more parts"
    )
    dns = commands.add_parser(
        "dns", help="let this machine's resolver know the cloud's names", parents=[which]
    )
    dns.add_argument("action", metavar="install|uninstall", choices=("install", "uninstall"))
    image = commands.add_parser("image", help="images that instances start from")
    actions = image.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=_Parser)
    actions.add_parser("list", help="every image", parents=[which])
    build = actions.add_parser("build", help="build one now", parents=[which])
    build.add_argument("name", metavar="NAME")
    brought = actions.add_parser("import", help="make one of a tarball or an OCI image", parents=[which])
    brought.add_argument("name", metavar="NAME")
    brought.add_argument("source", metavar="SOURCE", help="a root file system tarball, docker://…, or oci:…")
    brought.add_argument("--login", default="ec2-user", help="the login name (%(default)s)")


def _settings_flags(names: Sequence[str]) -> _Parser:
    """A parent parser. Values stay text: `core.settings` alone says what is right."""
    parent = _Parser(add_help=False)
    group = parent.add_argument_group("settings")
    group.add_argument(
        "--config", metavar="FILE", help="the settings file; by default cloudstead.toml in the data folder"
    )
    for setting in known():
        if setting.name in names:
            _add_setting(group, setting)
    return parent


def _add_setting(group: argparse._ArgumentGroup, setting: Setting) -> None:
    help = setting.about.help.replace("%", "%%")
    if setting.default is not None:
        help += f" Default: {setting.default}."
    if setting.type is bool:
        group.add_argument(
            setting.flag, dest=setting.name, action=argparse.BooleanOptionalAction, default=None, help=help
        )
    else:
        metavar = "|".join(setting.choices) or setting.type.__name__.upper()
        group.add_argument(setting.flag, dest=setting.name, metavar=metavar, help=help)
