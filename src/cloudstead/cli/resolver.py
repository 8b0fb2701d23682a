"""`dns install | uninstall`: this machine's resolver asks us for the cloud's names, and only for those.

What is added is files of our own, so taking them away leaves everything as it was.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from cloudstead.cli.problems import Problem
from cloudstead.cli.run import watched
from cloudstead.cli.running import running
from cloudstead.cli.terminal import program
from cloudstead.core.settings import Settings

_MARK = "# made by `cloudstead dns install`; `cloudstead dns uninstall` removes it\n"
_RESOLVED = "etc/systemd/resolved.conf.d/cloudstead.conf"
_RESOLVED_RUNS = "run/systemd/resolve/stub-resolv.conf"
_MACOS = "etc/resolver"
_RESTART_TIMEOUT_S = 30
_ROOT = Path("/")


def install(settings: Settings, root: Path = _ROOT) -> int:
    """`root` is where the system's files are, for tests."""
    found = running(settings.data)
    in_force = found.settings if found else settings
    if not in_force.dns_port:
        raise Problem("the name server is switched off (dns_port is 0)")
    resolved = (root / _RESOLVED_RUNS).exists()
    files = files_for(sys.platform, in_force.dns_host, in_force.dns_port, resolved=resolved)
    if not files:
        print(_by_hand(in_force.dns_host, in_force.dns_port))
        return 1
    for name in files:
        if (root / name).exists() and not _ours(root / name):
            raise Problem(f"{root / name} is there and not ours; nothing was done")
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
        print(f"wrote {root / name}")
    return _reload(root)


def uninstall(root: Path = _ROOT) -> int:
    found = installed(root)
    if not found:
        print("Nothing of ours is installed.")
        return 0
    for path in found:
        path.unlink()
        print(f"removed {path}")
    return _reload(root)


def installed(root: Path = _ROOT) -> list[Path]:
    """The files of ours that are there."""
    places = [root / _RESOLVED, *sorted((root / _MACOS).glob("*"))]
    return [path for path in places if path.is_file() and _ours(path)]


def files_for(platform: str, host: str, port: int, *, resolved: bool) -> Mapping[str, str]:
    """The files that do it on this system, by path from the root; none if we do not know how."""
    if platform == "darwin":
        return {f"{_MACOS}/{domain}": f"{_MARK}nameserver {host}\nport {port}\n" for domain in domains()}
    if resolved:
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        ours = " ".join(f"~{domain}" for domain in domains())
        return {_RESOLVED: f"{_MARK}[Resolve]\nDNS={address}\nDomains={ours}\n"}
    return {}


def domains() -> Sequence[str]:
    """Where instances have public names. Not all of amazonaws.com: real AWS must stay in reach."""
    import botocore.session  # noqa: PLC0415 - a tenth of a second that only this command should pay

    regions = botocore.session.Session().get_available_regions("ec2")
    names = [f"{region}.compute.amazonaws.com" for region in regions if region != "us-east-1"]
    return ["compute-1.amazonaws.com", *names]


def _ours(path: Path) -> bool:
    return path.read_text(encoding="utf-8", errors="replace").startswith(_MARK)


def _reload(root: Path) -> int:
    if root != _ROOT or sys.platform == "darwin" or shutil.which("systemctl") is None:
        return 0
    return watched(["systemctl", "restart", "systemd-resolved"], timeout_s=_RESTART_TIMEOUT_S)


def _by_hand(host: str, port: int) -> str:
    servers = "\n".join(f"    server=/{domain}/{host}#{port}" for domain in domains())
    return (
        "This machine has neither systemd-resolved nor macOS's resolver files, so there is no file we could add.\n"
        f"With dnsmasq, or NetworkManager's:\n{servers}\n"
        f"Without either, `{program()} ssh INSTANCE` needs no names, and the name server can be asked itself:\n"
        f"    dig @{host} -p {port} NAME"
    )
