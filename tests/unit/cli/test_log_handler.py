"""The log that all processes share: bounded, and nothing is lost when it is moved aside."""

import logging
import re
import subprocess
import sys

from cloudstead.cli.log_handler import SharedLog

_WRITERS, _LINES = 4, 2000
_PROGRAM = r"""
import logging, os, sys
from pathlib import Path
from cloudstead.cli.log_handler import SharedLog

path = Path(sys.argv[1])
said = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.dup2(said, 2)
os.close(said)
logging.basicConfig(format="%(message)s", handlers=[SharedLog(path, int(sys.argv[2]))], level="INFO")
for writer in range(4):
    if os.fork() == 0:
        for number in range(2000):
            logging.info("%d %d %s", writer, number, "." * 50)
        os.write(2, f"bye {writer}\n".encode())
        os._exit(0)
for _ in range(4):
    assert os.wait()[1] == 0
"""


def test_processes_that_share_it_lose_no_line_when_it_is_moved(tmp_path):
    log = tmp_path / "cloud.log"
    bytes_max = 300_000  # the half of what is written, so that it is moved once
    subprocess.run([sys.executable, "-c", _PROGRAM, str(log), str(bytes_max)], check=True, timeout=60)
    text = log.with_suffix(".log.1").read_text() + log.read_text()
    lines = {(int(a), int(b)) for a, b in re.findall(r"^(\d) (\d+) \.{50}$", text, re.MULTILINE)}
    assert lines == {(writer, number) for writer in range(_WRITERS) for number in range(_LINES)}
    # What one says besides goes where its last line went: into the old file, if that was before the move.
    assert sorted(re.findall(r"^bye \d$", text, re.MULTILINE)) == [f"bye {n}" for n in range(4)]


def test_it_never_keeps_more_than_twice_what_it_may(tmp_path):
    log = tmp_path / "cloud.log"
    handler = SharedLog(log, 10_000)
    for number in range(2_000):
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, f"{number:0100}", None, None))
        assert log.stat().st_size <= 10_101 + 1
    handler.close()
    assert {path.name for path in tmp_path.iterdir()} == {"cloud.log", "cloud.log.1"}
    assert log.read_text().endswith("1999\n")
