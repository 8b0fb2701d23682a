"""Networks to try drivers on: specs in few words, and packets that are really sent."""

import asyncio
import contextlib
import socket
import struct
import subprocess
from ipaddress import ip_network
from pathlib import Path

import msgspec
from tests.support.netns import apart

from cloudstead.dataplane.network import namespaces
from cloudstead.dataplane.network.driver import (
    AclEntry,
    Interface,
    NetworkAcl,
    NetworkSpec,
    PortRule,
    Route,
    SecurityGroup,
    Subnet,
)
from cloudstead.dataplane.network.linux import LinuxNetworks

OPEN_S_MAX = 5.0  # an open path answers in a millisecond; a busy machine may take its time
SHUT_S = 0.3  # so long nothing comes through a shut one

ANYWHERE = (PortRule(protocol="-1", cidr="0.0.0.0/0"), PortRule(protocol="-1", cidr="::/0"))
HOST = None  # where the test itself is


def allow(protocol="-1", first=None, last=None, *, cidr=None, group=None):
    return PortRule(protocol=protocol, from_port=first, to_port=last, cidr=cidr, group=group)


def group(id, *ingress, egress=ANYWHERE):
    return SecurityGroup(id=id, ingress=tuple(ingress), egress=tuple(egress))


OPEN = group("sg-0open", *ANYWHERE)
CLOSED = group("sg-0closed")

ALLOW_ALL = tuple(
    AclEntry(number=100 + n, allow=True, egress=egress, protocol="-1", cidr=cidr)
    for egress in (False, True)
    for n, cidr in enumerate(("0.0.0.0/0", "::/0"))
)


def to(destination, via, target=""):
    return Route(destination=destination, via=via, target=target)


def subnet(id, cidr, *routes, ipv6=None, acl="acl-0open"):
    return Subnet(id=id, cidr=cidr, ipv6_cidr=ipv6, routes=routes, acl=acl)


def interface(n, subnet, address, *groups, public=None, **more):
    """The only interface of instance n, unless told otherwise."""
    defaults = {
        "id": f"eni-0{n:016x}",
        "mac": f"02:00:00:00:00:{n:02x}",
        "addresses": (address,),
        "public": ((address, public),) if public else (),
        "groups": groups or ("sg-0open",),
        "instance": instance(n),
    }
    return Interface(subnet=subnet, **{**defaults, **more})


def instance(n):
    return f"i-0{n:016x}"


def network(
    *interfaces, id="vpc-0000000000000000a", cidr="10.0.0.0/16", subnets=(), groups=(), acls=(), **more
):
    """A VPC with an open ACL and two groups, open and closed, besides what is given."""
    return NetworkSpec(
        id=id,
        cidrs=(cidr,),
        subnets=subnets or (subnet("subnet-0a", _first(cidr), to("0.0.0.0/0", "internet")),),
        interfaces=interfaces,
        groups=(OPEN, CLOSED, *groups),
        acls=(NetworkAcl(id="acl-0open", entries=ALLOW_ALL), *acls),
        **more,
    )


def changed(spec, **fields):
    return msgspec.structs.replace(spec, **fields)


class Wire:
    """Sends and receives inside the namespaces of a LinuxNetworks, and on the host."""

    def __init__(self, driver) -> None:
        self._driver = driver

    def tcp(self, source, destination, port, *, to=None, bind="0.0.0.0", wait_s=OPEN_S_MAX):
        """The address that the destination sees the source come from; None if it cannot connect.

        `source` and `destination` name a namespace: an instance, or HOST. `to` is the address that is dialled.
        """
        family = socket.AF_INET6 if ":" in to else socket.AF_INET
        with (
            contextlib.closing(self.listen(destination, port, family)) as server,
            contextlib.closing(self.inside(source, lambda: socket.socket(family))) as client,
        ):
            client.settimeout(wait_s)
            try:
                client.connect((to, port))
            except OSError:
                return None
            server.settimeout(OPEN_S_MAX)
            accepted, address = server.accept()
            accepted.close()
            return address[0]

    def connects(self, source, to, port, *, wait_s=OPEN_S_MAX):
        """Whether somebody who listens already is reached."""
        with contextlib.closing(self.inside(source, socket.socket)) as client:
            client.settimeout(wait_s)
            try:
                client.connect((to, port))
            except OSError:
                return False
            return True

    def shut(self, source, destination, port, *, to):
        return self.tcp(source, destination, port, to=to, wait_s=SHUT_S) is None

    def udp(self, source, destination, port, *, to, wait_s=OPEN_S_MAX):
        """Like `tcp`, with a datagram and its answer."""
        family = socket.AF_INET6 if ":" in to else socket.AF_INET
        kind = socket.SOCK_DGRAM
        with (
            contextlib.closing(self.inside(destination, lambda: socket.socket(family, kind))) as server,
            contextlib.closing(self.inside(source, lambda: socket.socket(family, kind))) as client,
        ):
            server.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
            server.settimeout(wait_s)
            client.settimeout(wait_s)
            try:
                client.sendto(b"ask", (to, port))
                _, address = server.recvfrom(100)
                server.sendto(b"answer", address)
                client.recvfrom(100)
            except OSError:
                return None
            return address[0]

    def ping(self, source, to, *, wait_s=OPEN_S_MAX, ttl=64):
        """Whether an echo request is answered."""
        six = ":" in to
        family, protocol = (
            (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
        )
        with contextlib.closing(
            self.inside(source, lambda: socket.socket(family, socket.SOCK_DGRAM, protocol))
        ) as echo:
            echo.settimeout(wait_s)
            try:
                echo.sendto(struct.pack("!BBHHH", 128 if six else 8, 0, 0, 0, 1) + b"cloudstead", (to, 0))
                answer, _ = echo.recvfrom(200)
            except OSError:
                return False
            return answer[0] == (129 if six else 0)

    def listen(self, where, port, family=socket.AF_INET):
        def bound():
            server = socket.socket(family)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
            server.listen()
            return server

        return self.inside(where, bound)

    def inside(self, where, work):
        return work() if where is HOST else namespaces.inside(self._driver.namespace(where), work)

    def said(self, where, *command):
        """What a command says in there."""
        prefix = [] if where is HOST else ["nsenter", f"--net={self._driver.namespace(where)}"]
        done = subprocess.run([*prefix, *command], capture_output=True, text=True, timeout=20, check=True)
        return done.stdout


def packets(scenario):
    """Run an async test apart, with a driver and a wire; whatever it made must be gone in the end."""

    @apart
    def test(tmp_path):
        async def life():
            before = left_behind(tmp_path)
            driver = LinuxNetworks(tmp_path, "00c0de")
            await scenario(driver, Wire(driver))
            await driver.teardown()
            assert left_behind(tmp_path) == before

        asyncio.run(life())

    test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
    return test


def left_behind(data):
    """Everything a network driver may leave on a machine: links, routes, tables, mounts, files."""
    mounts = Path("/proc/thread-self/mountinfo").read_text(encoding="utf-8").splitlines()
    return {
        "links": sorted(
            line.split(":")[0].strip()
            for line in Path("/proc/thread-self/net/dev").read_text(encoding="utf-8").splitlines()[2:]
        ),
        "routes": Path("/proc/thread-self/net/route").read_text(encoding="utf-8").splitlines()[1:],
        "tables": subprocess.run(
            ["nft", "list", "ruleset"], capture_output=True, text=True, timeout=20, check=True
        ).stdout,
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(encoding="ascii"),
        "mounts": [line.split()[4] for line in mounts if line.split()[4].startswith(str(data))],
        "files": sorted(str(file) for file in data.rglob("*") if file.is_file()),
    }


def _first(cidr):
    return str(next(ip_network(cidr).subnets(new_prefix=24)))
