"""The parts of the docs that are made from the code. `python -m tests.tidy.generated` writes them.

A part stands between `<!-- generated: NAME … -->` and `<!-- end -->`.
"""

import argparse
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.tidy.repository import ROOT

from cloudstead.cli.arguments import parser
from cloudstead.core.settings import Setting, known

_PART = re.compile(r"(<!-- generated: (\w+)[^>]*-->\n).*?(<!-- end -->)", re.DOTALL)


def settings_table() -> str:
    rows = [_row(setting) for setting in known()]
    head = "| in the file | flag | environment | default | |\n|---|---|---|---|---|\n"
    return head + "".join(f"{row}\n" for row in rows)


def _row(setting: Setting) -> str:
    values = " \\| ".join(f"`{choice}`" for choice in setting.choices)
    default = (
        f"`{str(setting.default).lower() if setting.type is bool else setting.default}`"
        if setting.default is not None
        else ""
    )
    flag = f"`{setting.flag}`" + (f", `--no-{setting.flag[2:]}`" if setting.type is bool else "")
    about = setting.about.help.replace("|", "\\|") + (f" One of {values}." if values else "")
    return f"| `{setting.name}` | {flag} | `{setting.variable}` | {default} | {about} |"


def commands_table() -> str:
    rows = [f"| `{usage}` | {help} |" for usage, help in _commands(parser(), "")]
    return "| command | |\n|---|---|\n" + "".join(f"{row}\n" for row in rows)


def _commands(parser: argparse.ArgumentParser, before: str) -> Iterator[tuple[str, str]]:
    """Each command with its own flags; those of settings are in the settings' table."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, below in action.choices.items():
            if any(isinstance(one, argparse._SubParsersAction) for one in below._actions):
                yield from _commands(below, f"{before}{name} ")
            else:
                yield " ".join([f"{before}{name}", *_own(below)]), helps[name]


def _own(parser: argparse.ArgumentParser) -> Iterator[str]:
    settings = {setting.name for setting in known()} | {"config", "help"}
    for action in parser._actions:
        if action.dest in settings:
            continue
        if not action.option_strings:
            word = "\\|".join(action.choices or [str(action.metavar or action.dest)])
            yield {"?": f"[{word}]", "*": f"[{word}…]"}.get(str(action.nargs), word)
        else:
            value = (
                ""
                if action.nargs == 0
                else " "
                + ("\\|".join(action.choices) if action.choices else action.metavar or action.dest.upper())
            )
            yield f"[{action.option_strings[-1]}{value}]"


PARTS: dict[str, Callable[[], str]] = {"settings": settings_table, "commands": commands_table}


def pages() -> dict[Path, str]:
    """Every page that has such a part, as it should read."""
    found = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _PART.search(text):
            found[path] = _PART.sub(lambda part: part[1] + "\n" + PARTS[part[2]]() + "\n" + part[3], text)
    return found


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
