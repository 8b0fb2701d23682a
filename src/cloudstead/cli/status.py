"""`status`: what runs, how it is doing and what it takes."""

import json
import re
import textwrap
from pathlib import Path
from typing import Any

from cloudstead.cli.problems import Problem
from cloudstead.cli.running import Running, health, running
from cloudstead.cli.terminal import program
from cloudstead.cli.up import summary
from cloudstead.core.settings import Settings

#: What other service managers answer for "not running".
_STOPPED = 3
_WIDTH = 98
_PSS = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)


def status(settings: Settings, *, as_json: bool) -> int:
    found = running(settings.data)
    told = _told(found, settings)
    print(json.dumps(told, indent=2) if as_json else _lines(told, found))
    return 0 if told["status"] == "running" else _STOPPED if found is None else 1


def _told(found: Running | None, settings: Settings) -> dict[str, Any]:
    if found is None:
        return {"status": "stopped", "data": str(settings.data)}
    said = health(found.settings)
    processes = {"supervisor": found.pid, **_processes(settings.data)}
    return {
        **(said or {"status": "not answering"}),
        "version": found.version,
        "endpoint": found.settings.endpoint,
        "profile": found.settings.profile,
        "dns": f"{found.settings.dns_host}:{found.settings.dns_port}" if found.settings.dns_port else None,
        "data": str(settings.data),
        "processes": {
            name: {"pid": pid, "memory_bytes": _memory_bytes(pid)} for name, pid in processes.items()
        },
    }


def _lines(told: dict[str, Any], found: Running | None) -> str:
    if found is None:
        return f"Cloudstead is not up ({told['data']})."
    lines = [
        f"Cloudstead {found.version}: {told['status']}",
        summary(found.settings, told),
        "  data      " + told["data"],
    ]
    counts = told.get("resources") or {}
    kinds = ", ".join(f"{kind}\xa0{count}" for kind, count in sorted(counts.items()) if count)
    wrapped = textwrap.wrap(f"resources {kinds or 'none'}", _WIDTH, subsequent_indent=" " * len("resources "))
    lines += [f"  {line}".replace("\xa0", " ") for line in wrapped]
    lines += [f"  {each['id']}: {each['text']}" for each in told.get("problems") or ()]
    for name, process in told["processes"].items():
        memory = process["memory_bytes"]
        taken = f"{memory / 1e6:6.1f} MB" if memory is not None else "        ?"
        lines.append(f"  {name:14} pid {process['pid']:7} {taken}")
    return "\n".join(lines)


def _processes(data: Path) -> dict[str, int]:
    try:
        found = json.loads((data / "run" / "processes.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _memory_bytes(pid: int) -> int | None:
    """The process's proportional share of memory; None where the system does not tell."""
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def require_running(settings: Settings) -> Running:
    found = running(settings.data)
    if found is None:
        raise Problem(f"Cloudstead is not up; start it: {program()} up --detach")
    return found
