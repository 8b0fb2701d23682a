"""How `ip` and `nft` are told: many lines at a time, inside a namespace, for a process costs more than its work."""

from pathlib import Path

from cloudstead.dataplane import host

_IPV6 = Path("/proc/sys/net/ipv6")


async def ip(namespace: Path | None, *words: str, input: bytes | None = None) -> bytes:
    """What `ip` says in a namespace, or in ours."""
    return await host.run([*_inside(namespace), "ip", *words], input=input)


async def ip_batch(namespace: Path | None, lines: list[str], *flags: str) -> None:
    """Carry the lines out in order, up to the first that fails."""
    lines = _possible(lines)
    if lines:
        await ip(namespace, *flags, "-batch", "-", input="\n".join([*lines, ""]).encode())


async def nft(namespace: Path | None, rules: str) -> None:
    """Load all of the rules or, if one is wrong, none."""
    await host.run([*_inside(namespace), "nft", "-f", "-"], input=rules.encode())


def ipv6_on(link: str) -> bool:
    """Whether a link of our own namespace may have IPv6 addresses."""
    try:
        return (_IPV6 / "conf" / link / "disable_ipv6").read_text(encoding="ascii").strip() == "0"
    except FileNotFoundError:
        return False


def _possible(lines: list[str]) -> list[str]:
    """All lines, but on a kernel that was started without IPv6 only those of IPv4."""
    return lines if _IPV6.exists() else [line for line in lines if "::" not in line]


def _inside(namespace: Path | None) -> list[str]:
    # Not `ip netns exec`: that mounts a /sys without control groups.
    return [] if namespace is None else ["nsenter", f"--net={namespace}"]
