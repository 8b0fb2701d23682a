"""`fsck`: whether the objects on the disk are all there and as they were written. It repairs nothing."""

from cloudstead.cli.commands import Commands
from cloudstead.core.settings import Settings


def fsck(commands: Commands, settings: Settings, *, read_all: bool) -> int:
    """The exit status tells whether all is well."""
    found = commands.check_objects(settings, read_all=read_all)
    for line in found.damage:
        print(line)
    what = f"{found.versions} object versions, {found.parts} parts of uploads, {_bytes(found.size_bytes)}"
    looked = "read" if read_all else "compared with their index"
    print(f"{what} {looked}: {f'{len(found.damage)} damaged' if found.damage else 'all is well'}.")
    return 1 if found.damage else 0


def _bytes(count: int) -> str:
    if count < 1_000_000:
        return f"{count} bytes"
    return f"{count / 1e6:.1f} MB" if count < 1_000_000_000 else f"{count / 1e9:.1f} GB"
