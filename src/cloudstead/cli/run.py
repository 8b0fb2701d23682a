"""Commands that a person watches: they have our terminal, and we their exit status."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloudstead.cli.problems import Problem


def watched(
    words: Sequence[str], *, timeout_s: float, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> int:
    """Run it to its end and return its exit status. What captures output goes through `dataplane.host`."""
    try:
        return subprocess.call(words, timeout=timeout_s, cwd=cwd, env=env)
    except OSError as e:
        raise Problem(f"{words[0]}: cannot be started: {e.strerror}") from None
    except subprocess.TimeoutExpired:
        raise Problem(f"{words[0]}: no end after {timeout_s:g} s; it was stopped") from None
