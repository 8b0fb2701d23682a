"""The files of the repository, as the tidy tests see them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TEXT = {".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".json", ".cfg", ".sh", ""}


@cache
def files() -> tuple[Path, ...]:
    """Every text file that git knows or would know, relative to the root."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    if done.returncode == 0:
        names = [Path(name.decode()) for name in done.stdout.split(b"\0") if name]
    else:  # an unpacked archive
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file()]
        names = [
            name for name in names if not any(part.startswith(".") and part != ".ci" for part in name.parts)
        ]
    return tuple(sorted(name for name in names if name.suffix in _TEXT and (ROOT / name).is_file()))


def read(name: Path) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def documents() -> list[Path]:
    return [name for name in files() if name.suffix == ".md"]
