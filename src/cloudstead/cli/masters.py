"""Whether the masters of the SeaweedFS cluster answer, if the settings name any."""

import http.client
import json

from cloudstead.cli.problems import Problem
from cloudstead.core.settings import Settings

_TIMEOUT_S = 2.0


def away(settings: Settings) -> dict[str, str]:
    """The masters that do not answer as one would, and why."""
    asked = {master: _why_not(master) for master in settings.masters}
    return {master: why for master, why in asked.items() if why}


def require(settings: Settings) -> None:
    """Raise unless new objects have a place to go to."""
    if settings.object_bytes != "seaweedfs":
        return
    missing = away(settings)
    if len(missing) == len(settings.masters):
        why = "; ".join(f"{master}: {reason}" for master, reason in missing.items())
        raise Problem(
            f"No SeaweedFS master answers ({why}). Start it, name another with --seaweedfs-masters, "
            "or keep new objects in the data folder with --object-bytes here."
        )


def _why_not(master: str) -> str:
    host, _, port = master.rpartition(":")
    connection = http.client.HTTPConnection(host.strip("[]"), int(port), timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/cluster/status")
        answer = connection.getresponse()
        said = json.loads(answer.read(1 << 16)) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError) as e:
        return str(e) or type(e).__name__
    finally:
        connection.close()
    return "" if isinstance(said, dict) and ("Leader" in said or "IsLeader" in said) else "this is no master"
