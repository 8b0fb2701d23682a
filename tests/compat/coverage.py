"""Which operations are built: the lists in `missing/` and the tables in docs/services, made from the code.

`python -m tests.compat.coverage` writes both; the test beside it fails while they are not true.
"""

import re
from pathlib import Path

from cloudstead.app.tables import SERVICES, built_operations, modelled_operations

ROOT = Path(__file__).resolve().parents[2]
MISSING = Path(__file__).parent / "missing"
_TABLE = re.compile(r"(<!-- operations of (\S+): generated[^>]*-->\n).*?(<!-- end -->)", re.DOTALL)


def missing(service: str) -> list[str]:
    return sorted(set(modelled_operations(service)) - set(built_operations(service)))


def table(service: str) -> str:
    """A paragraph of counts, then the built operations, then how many are left out."""
    modelled, built = sorted(modelled_operations(service)), set(built_operations(service))
    lines = [f"{len(built)} of {len(modelled)} operations are built.", ""]
    lines += ["| operation | |", "|---|---|"]
    lines += [f"| {name} | built |" for name in modelled if name in built]
    left = [name for name in modelled if name not in built]
    if left:
        lines += ["", "<details><summary>Not built: these answer 501 NotImplemented</summary>", ""]
        lines += [", ".join(left), "", "</details>"]
    return "\n".join(lines) + "\n"


def pages() -> dict[Path, str]:
    """Every page of docs/services as it should read."""
    return {
        page: _TABLE.sub(lambda found: found[1] + "\n" + table(found[2]) + "\n" + found[3], page.read_text())
        for page in sorted((ROOT / "docs" / "services").glob("*.md"))
    }


def main() -> None:
    for service in SERVICES:
        (MISSING / f"{service}.txt").write_text("".join(f"{name}\n" for name in missing(service)))
    for page, text in pages().items():
        page.write_text(text)


if __name__ == "__main__":
    main()
