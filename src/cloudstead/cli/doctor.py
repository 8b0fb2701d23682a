"""`doctor`: a line for each capability: ok, degraded or missing, why, and the one command that mends it."""

import json
from dataclasses import asdict

from cloudstead.cli import probes
from cloudstead.cli.probes import Finding
from cloudstead.core.settings import Settings


def doctor(settings: Settings, *, as_json: bool) -> int:
    """The exit status tells whether what the settings ask for is there."""
    found = probes.examine(settings)
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        print("\n".join(_line(finding) for finding in found))
    return 1 if any(finding.needed and finding.state == "missing" for finding in found) else 0


def _line(finding: Finding) -> str:
    mend = f" — mend it: {finding.mend}" if finding.mend else ""
    return f"{finding.state:9} {finding.name:14} {finding.why}{mend}"
