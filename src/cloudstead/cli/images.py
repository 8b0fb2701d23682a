"""`image list | build | import`: what instances start from."""

import re
from pathlib import Path

from cloudstead.cli.commands import Commands
from cloudstead.cli.problems import Problem
from cloudstead.cli.terminal import Progress
from cloudstead.core.settings import Settings

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}")
_REFERENCES = ("docker://", "oci:", "docker-archive:", "oci-archive:", "containers-storage:", "dir:")


def show(commands: Commands, settings: Settings) -> int:
    found = commands.images(settings)
    width = max((len(image.name) for image in found), default=0)
    for image in found:
        size = f"{image.size_bytes / 1e6:8.1f} MB" if image.built else "  not built"
        print(f"{image.name:{width}}  {image.login:9} {size}  {image.note}".rstrip())
    return 0


def build(commands: Commands, settings: Settings, name: str) -> int:
    progress = Progress(name)
    commands.build_image(settings, name, progress)
    progress.done("built")
    return 0


def bring(commands: Commands, settings: Settings, name: str, source: str, login: str) -> int:
    if not _NAME.fullmatch(name):
        raise Problem(f"{name!r} is no name of an image: letters, digits and . _ - only, a letter first")
    place: Path | str = source if source.startswith(_REFERENCES) else Path(source).expanduser().absolute()
    if isinstance(place, Path) and not place.is_file():
        raise Problem(f"{source}: no such file, and not a reference such as docker://debian:12")
    progress = Progress(name)
    commands.import_image(settings, name, place, login, progress)
    progress.done("imported")
    return 0
