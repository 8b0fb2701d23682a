"""The AWS profile: our section in the user's AWS files, and not a byte of the others touched."""

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cloudstead.cli import person
from cloudstead.core.settings import Settings

_SECTION = re.compile(r"^\s*\[\s*(.*?)\s*\]")


def write_profile(settings: Settings, key_id: str, secret: str) -> None:
    """Let `aws --profile NAME` reach this cloud. Safe to repeat."""
    name = settings.profile
    keys = {"aws_access_key_id": key_id, "aws_secret_access_key": secret}
    section = "default" if name == "default" else f"profile {name}"
    _edit(credentials_file(), name, keys)
    _edit(config_file(), section, {"region": settings.region, "endpoint_url": settings.endpoint})


def credentials_file() -> Path:
    return _file("AWS_SHARED_CREDENTIALS_FILE", "credentials")


def config_file() -> Path:
    return _file("AWS_CONFIG_FILE", "config")


def with_keys(text: str, section: str, keys: Mapping[str, str]) -> str:
    """The text of an AWS file where the section has these keys. Everything else stays as it is, byte for byte."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    start = next((at for at, line in enumerate(lines) if _name(line) == section), None)
    if start is None:
        gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
        return text + gap + f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
    end = next((at for at in range(start + 1, len(lines)) if _name(lines[at]) is not None), len(lines))
    kept, left = [], dict(keys)
    for line in lines[start + 1 : end]:
        key = line.partition("=")[0].strip()
        if key in keys:
            if key in left:
                kept.append(f"{key} = {left.pop(key)}\n")
        else:
            kept.append(line)
    head = lines[start] if lines[start].endswith("\n") else lines[start] + "\n"
    added = [f"{key} = {value}\n" for key, value in left.items()]
    return "".join([*lines[:start], head, *added, *kept, *lines[end:]])


def _name(line: str) -> str | None:
    found = _SECTION.match(line)
    return " ".join(found[1].split()) if found else None


def _file(variable: str, name: str) -> Path:
    told = os.environ.get(variable)
    return Path(told).expanduser() if told else person.home() / ".aws" / name


def _edit(path: Path, section: str, keys: Mapping[str, str]) -> None:
    path = path.resolve()  # a link to a file elsewhere stays a link
    person.make_folder(path.parent, mode=0o700)
    before = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    after = with_keys(before, section, keys)
    if after != before:
        _replace(path, after.encode("utf-8", "surrogateescape"))


def _replace(path: Path, content: bytes) -> None:
    """Put the content in the file's place in one step, readable to nobody else."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            found = path.stat()
            draft.chmod(found.st_mode & 0o600)
            if os.geteuid() == 0:
                os.chown(draft, found.st_uid, found.st_gid)
        else:
            person.own(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
