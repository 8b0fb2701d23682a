"""The answers that the AWS command line's reference shows, read from the copy of it that is installed."""

import json
import re
from pathlib import Path

import awscli

_EXAMPLES = Path(awscli.__file__).parent / "examples"
_BLOCK = re.compile(r"^([ \t]+)\{[ \t]*\n.*?^\1\}[ \t]*$", re.MULTILINE | re.DOTALL)


def outputs(service, command):
    """Every answer that is shown for a command and that is whole JSON, in order."""
    text = (_EXAMPLES / service / f"{command}.rst").read_text()
    found = []
    for block in _BLOCK.finditer(text):
        try:
            found.append(json.loads(block.group()))
        except ValueError:
            continue  # shortened with dots
    return found


def members(value, where=""):
    """What an answer is made of: the path of every member, with its type. Elements of a list stand for one another."""
    if isinstance(value, dict):
        return {path for name, item in value.items() for path in members(item, f"{where}.{name}")} | (
            {f"{where} structure"} if where else set()
        )
    if isinstance(value, list):
        return {path for item in value for path in members(item, f"{where}[]")} | {f"{where} list"}
    match value:
        case bool():
            kind = "boolean"
        case int() | float():
            kind = "number"
        case _:
            kind = "text"  # times too, in JSON
    return {f"{where} {kind}"}
