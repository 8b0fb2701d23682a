"""What is said to people: plain lines, and progress only where somebody watches."""

import os
import sys
import time


def program() -> str:
    """How the person calls us: `./cloudstead` in a checkout, `cloudstead` once installed."""
    return os.environ.get("CLOUDSTEAD_COMMAND") or "cloudstead"


def confirm(question: str) -> bool:
    """Ask for yes or no. Without a terminal the answer is no."""
    if not sys.stdin.isatty():
        return False
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


class Progress:
    """Says each step: on a terminal over and over in one line with the seconds, elsewhere a line each."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._live = sys.stdout.isatty()
        self._started_s = time.monotonic()

    def __call__(self, step: str) -> None:
        if self._live:
            print(f"\r\033[K{self._what}: {step} ({self._seconds():.0f} s)", end="", flush=True)
        else:
            print(f"{self._what}: {step}", flush=True)

    def done(self, result: str) -> None:
        clear = "\r\033[K" if self._live else ""
        print(f"{clear}{self._what}: {result} after {self._seconds():.1f} s", flush=True)

    def _seconds(self) -> float:
        return time.monotonic() - self._started_s
