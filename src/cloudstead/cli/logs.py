"""`logs`: the cloud's log, all of it or what tells of one service, process or resource."""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cloudstead.cli.problems import Problem
from cloudstead.cli.terminal import program
from cloudstead.cli.up import log_file
from cloudstead.core.settings import Settings

_POLL_S = 0.2
_START = re.compile(rb"\d{4}-\d\d-\d\d ")  # of an entry; a traceback's lines belong to the entry before


def logs(settings: Settings, name: str | None, *, lines: int, follow: bool) -> int:
    """Print the last `lines` lines that mention `name`: an id, or a part of a logger's name such as `ec2`."""
    path = log_file(settings)
    if not path.exists():
        raise Problem(f"There is no log yet; it comes with the first {program()} up")
    wanted = re.compile(rb"(?<![\w-])" + re.escape(name.encode()) + rb"(?![\w-])") if name else None
    with path.open("rb") as file:
        shown = list(_matching(file, wanted))
        _write(b"".join(shown[-lines:] if lines else []))
        if name and not shown and not follow:
            print(f"The log says nothing of {name}.", file=sys.stderr)
        while follow:
            _write(b"".join(_matching(file, wanted)))
            if _replaced(file, path):
                return logs(settings, name, lines=lines, follow=True)
            time.sleep(_POLL_S)
    return 0


def _matching(file: BinaryIO, wanted: re.Pattern[bytes] | None) -> Iterator[bytes]:
    within = False
    for line in file:
        if _START.match(line):
            within = wanted is None or wanted.search(line) is not None
        if within or wanted is None or wanted.search(line):
            yield line


def _replaced(file: BinaryIO, path: Path) -> bool:
    try:
        return os.fstat(file.fileno()).st_ino != path.stat().st_ino
    except FileNotFoundError:
        return False


def _write(text: bytes) -> None:
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()
