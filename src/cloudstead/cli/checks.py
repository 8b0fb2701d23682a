"""`test`: every check and test of the repository, as CI runs them. Quick ones first, the whole cloud last."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cloudstead
from cloudstead.cli.problems import Problem
from cloudstead.cli.run import watched
from cloudstead.cli.setup import where

_CHECK_TIMEOUT_S = 600
#: The image that the tests start besides the tiny one. It is built before them, for they are cut off from all networks.
_IMAGE = "debian-12"
_TESTS_TIMEOUT_S = 3600


def test(arguments: Sequence[str]) -> int:
    """Run all, even after one failed, and say at the end which; with arguments, only pytest with them."""
    root = _checkout()
    if arguments:
        return watched([sys.executable, "-m", "pytest", *arguments], timeout_s=_TESTS_TIMEOUT_S, cwd=root)
    results = [(name, *_timed(words, root)) for name, words in [*_checks(), *_tests(root)]]
    print("\n" + "\n".join(_line(*result) for result in results), flush=True)
    failed = [name for name, status, _ in results if status]
    print("all passed" if not failed else f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _checks() -> list[tuple[str, list[str]]]:
    tools = Path(sys.executable).parent
    return [
        ("format", [str(tools / "ruff"), "format", "--check", "."]),
        ("lint", [str(tools / "ruff"), "check", "."]),
        ("types", [str(tools / "mypy")]),
        ("layers", [str(tools / "lint-imports")]),
    ]


def _tests(root: Path) -> list[tuple[str, list[str]]]:
    pytest = [sys.executable, "-m", "pytest", "--continue-on-collection-errors", *_folders(root)]
    if os.geteuid() != 0 or where("mmdebstrap") is None:
        return [("tests", pytest)]
    os.environ.setdefault("CLOUDSTEAD_IMAGES", str(Path(sys.prefix) / "images"))
    build = [sys.executable, "-m", "cloudstead", "image", "build", _IMAGE]
    return [("image", build), ("tests", pytest)]


def _folders(root: Path) -> list[str]:
    """Where the tests are, those that boot a whole cloud last."""
    found = {path.relative_to(root / "tests").parts[0] for path in (root / "tests").rglob("test_*.py")}
    return [f"tests/{name}" for name in sorted(found, key=lambda name: (name == "e2e", name))]


def _timed(words: list[str], root: Path) -> tuple[int, float]:
    print(f"\n$ {' '.join(words)}", flush=True)
    started_s = time.monotonic()
    timeout_s = _TESTS_TIMEOUT_S if "pytest" in words else _CHECK_TIMEOUT_S
    status = watched(words, timeout_s=timeout_s, cwd=root)
    return status, time.monotonic() - started_s


def _line(name: str, status: int, seconds: float) -> str:
    return f"  {name:8} {'ok' if status == 0 else f'FAILED ({status})':12} {seconds:7.1f} s"


def _checkout() -> Path:
    root = Path(cloudstead.__file__).parents[2]
    if not (root / "tests").is_dir():
        raise Problem("the tests are in the repository; this is an installed package")
    return root
