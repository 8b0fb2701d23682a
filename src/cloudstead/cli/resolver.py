"""`dns install | uninstall`: this machine's resolver asks us for the cloud's names, and only for those.

`public names` are EC2's; what is ours is a file of its own, so taking it away leaves everything as it was.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from cloudstead.cli.problems import Problem
from cloudstead.cli.run import watched
from cloudstead.cli.running import running
from cloudstead.cli.terminal import program
from cloudstead.core.settings import Settings

#: The domains under which the cloud has public names.
DOMAINS = ("amazonaws.com",)
_MARK = "# made by cloudstead dns install; cloudstead dns uninstall removes it\n"
_RESOLVED = Path("/etc/systemd/resolved.conf.d/cloudstead.conf")
_RESOLVED_RUNS = Path("/run/systemd/resolve/stub-resolv.conf")
_MACOS = Path("/etc/resolver")
_RESTART_TIMEOUT_S = 30


def install(settings: Settings) -> int:
    found = running(settings.data)
    in_force = found.settings if found else settings
    if not in_force.dns_port:
        raise Problem("the name server is switched off (dns_port is 0)")
    files = files_for(sys.platform, in_force.dns_host, in_force.dns_port, resolved=_RESOLVED_RUNS.exists())
    if not files:
        print(_by_hand(in_force.dns_host, in_force.dns_port))
        return 1
    for path in files:
        if path.exists() and not path.read_text().startswith(_MARK):
            raise Problem(f"{path} is there and not ours; nothing was done")
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path}")
    return _reload()


def uninstall() -> int:
    removed = False
    for path in (_RESOLVED, *(_MACOS / domain for domain in DOMAINS)):
        if path.exists() and path.read_text().startswith(_MARK):
            path.unlink()
            print(f"removed {path}")
            removed = True
    if not removed:
        print("Nothing of ours is installed.")
        return 0
    return _reload()


def installed() -> bool:
    return any(path.exists() for path in (_RESOLVED, *(_MACOS / domain for domain in DOMAINS)))


def files_for(platform: str, host: str, port: int, *, resolved: bool) -> Mapping[Path, str]:
    """The files that do it on this system; none if we do not know how."""
    if platform == "darwin":
        return {_MACOS / domain: f"{_MARK}nameserver {host}\nport {port}\n" for domain in DOMAINS}
    if resolved:
        domains = " ".join(f"~{domain}" for domain in DOMAINS)
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return {_RESOLVED: f"{_MARK}[Resolve]\nDNS={address}\nDomains={domains}\n"}
    return {}


def _reload() -> int:
    if sys.platform == "darwin" or shutil.which("systemctl") is None:
        return 0
    return watched(["systemctl", "restart", "systemd-resolved"], timeout_s=_RESTART_TIMEOUT_S)


def _by_hand(host: str, port: int) -> str:
    servers = "\n".join(f"    server=/{domain}/{host}#{port}" for domain in DOMAINS)
    return (
        "This machine has neither systemd-resolved nor macOS's resolver files, so there is no file we could add.\n"
        f"With dnsmasq, or NetworkManager's:\n{servers}\n"
        f"Without either, `{program()} ssh INSTANCE` needs no names, and the name server can be asked itself:\n"
        f"    dig @{host} -p {port} NAME"
    )
