"""What an answer costs: our name server, NSD and PowerDNS with the same zone, one worker each, on loopback.

    python benchmarks/name_server.py [--seconds 2] [--rounds 3]

Queries a second of the server's CPU time, user and system, read from /proc: what a busy machine does not spoil. A
server that is not installed (apt install nsd pdns-server pdns-backend-lmdb) is left out. The client keeps a window of
questions open and never sends to anything but loopback, a bounded time. Ours alone is also asked what static servers
have not: weights, latency by client subnet.
"""

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import dns.edns
import dns.message
import uvloop

from cloudstead.dataplane.dns import Health, Image, Responder, serve
from cloudstead.dataplane.dns.zones import Batch, Latency, PutRecords, PutZone, RecordSet, Weighted, Zone

ZONE = "example.test."
HOSTS = 1000
WINDOW = 64
SOA = "ns1.example.test. host.example.test. 1 7200 900 1209600 86400"
REGIONS = ("us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1")
TICKS = os.sysconf("SC_CLK_TCK")


class Silence:
    """No names but the zones'."""

    def serves(self, _view: object) -> bool:
        return True

    def lookup(self, _view: object, _name: str, _type: str) -> None:
        return None


def records() -> Iterator[tuple[str, str, str]]:
    yield ZONE, "SOA", SOA
    yield ZONE, "NS", "ns1.example.test."
    yield f"ns1.{ZONE}", "A", "192.0.2.53"
    for n in range(HOSTS):
        host = f"host{n}.{ZONE}"
        yield host, "A", f"10.0.{n // 250}.{n % 250}"
        yield host, "AAAA", f"2001:db8::{n:x}"
        yield host, "TXT", f'"this is host {n}"'
        yield host, "MX", f"10 host{(n + 1) % HOSTS}.{ZONE}"
        yield f"alias{n}.{ZONE}", "CNAME", host
    yield f"*.wild.{ZONE}", "A", "192.0.2.99"


def mix(chance: random.Random, count: int, **options) -> list[bytes]:
    """50 % A, 30 % AAAA, 5 % TXT, 5 % CNAME chains, 3 % wildcard, 2 % MX, 5 % names that are not there."""

    def one() -> bytes:
        n, kind = chance.randrange(HOSTS), chance.randrange(100)
        host = f"host{n}.{ZONE}"
        if kind < 50:
            return query(host, "A", **options)
        if kind < 80:
            return query(host, "AAAA", **options)
        if kind < 85:
            return query(host, "TXT", **options)
        if kind < 90:
            return query(f"alias{n}.{ZONE}", "A", **options)
        if kind < 93:
            return query(f"x{chance.randrange(10**9)}.wild.{ZONE}", "A", **options)
        if kind < 95:
            return query(host, "MX", **options)
        return query(f"no{chance.randrange(10**9)}.{ZONE}", "A", **options)

    return [one() for _ in range(count)]


def query(name: str, type: str, **options) -> bytes:
    return dns.message.make_query(name, type, **options).to_wire()


# --- servers


def cloudstead(folder: Path, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "--serve", str(port)], cwd=folder)


def nsd(folder: Path, port: int) -> subprocess.Popen[bytes]:
    zone_file(folder)
    (folder / "nsd.conf").write_text(f"""
server:
  ip-address: 127.0.0.1@{port}
  ip-address: ::1@{port}
  server-count: 1
  username: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
  cookie-secret-file: ""
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {ZONE}
  zonefile: zone.txt
""")
    return subprocess.Popen(["nsd", "-d", "-c", str(folder / "nsd.conf")], stderr=subprocess.DEVNULL)


def powerdns(folder: Path, port: int) -> subprocess.Popen[bytes]:
    zone_file(folder)
    (folder / "pdns.conf").write_text(f"""
launch=lmdb
lmdb-filename={folder}/pdns.lmdb
lmdb-shards=1
local-address=127.0.0.1,::1
local-port={port}
receiver-threads=1
distributor-threads=1
socket-dir={folder}
guardian=no
daemon=no
version-string=anonymous
loglevel=3
""")
    load = ["pdnsutil", f"--config-dir={folder}", "load-zone", ZONE, str(folder / "zone.txt")]
    subprocess.run(load, check=True, capture_output=True, timeout=60)
    return subprocess.Popen(["pdns_server", f"--config-dir={folder}"], stderr=subprocess.DEVNULL)


def zone_file(folder: Path) -> None:
    (folder / "zone.txt").write_text(
        "".join(f"{name} 300 IN {type} {value}\n" for name, type, value in records())
    )


SERVERS = {"cloudstead": (cloudstead, None), "NSD": (nsd, "nsd"), "PowerDNS lmdb": (powerdns, "pdns_server")}


def be_a_server(port: int) -> None:
    """What the benchmark measures as ours: one worker with the very classes that `up` runs."""
    image = Image()
    sets = [RecordSet(name=name, type=type, ttl_s=300, values=(value,)) for name, type, value in records()]
    changes = [PutZone(Zone(id="Z", name=ZONE))]
    changes += [PutRecords("Z", each.name, each.type, (each,)) for each in sets]
    weighted = [Weighted(weight) for weight in (1, 2, 3, 4)]
    for name, routings in ("weighted", weighted), ("latency", [Latency(region) for region in REGIONS]):
        several = tuple(
            RecordSet(name=f"{name}.{ZONE}", type="A", ttl_s=60, values=(f"192.0.2.{n}",), routing=routing)
            for n, routing in enumerate(routings)
        )
        changes.append(PutRecords("Z", f"{name}.{ZONE}", "A", several))
    image.apply(Batch(1, tuple(changes)))

    async def run() -> None:
        responder = Responder(image, Health(), random=random.Random())
        await serve(Silence(), list(listening(port)), zones=responder)
        await asyncio.Event().wait()

    uvloop.run(run())


def listening(port: int) -> Iterator[socket.socket]:
    for family, host in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        udp.bind((host, port))
        tcp = socket.socket(family, socket.SOCK_STREAM)
        tcp.bind((host, port))
        tcp.listen(64)
        yield from (udp, tcp)


@contextlib.contextmanager
def running(start: Callable[[Path, int], subprocess.Popen[bytes]]) -> Iterator[tuple[int, int]]:
    """The pid and port of a server that answers."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        process = start(Path(name), port)
        try:
            wait_for(port)
            yield process.pid, port
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        for _ in range(100):
            sock.sendto(query(f"host1.{ZONE}", "A"), ("127.0.0.1", port))
            with contextlib.suppress(OSError):
                if dns.message.from_wire(sock.recv(4096)).answer:
                    return
            time.sleep(0.05)
    raise SystemExit("a server does not answer")


# --- load


def over_udp(host: str, port: int, messages: Sequence[bytes], seconds: float) -> int:
    """Questions answered, a window of them under way at any time."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((host, port))
        sock.settimeout(0.05)
        answered, at, end = 0, 0, time.monotonic() + seconds
        while time.monotonic() < end:
            for _ in range(WINDOW):
                sock.send(messages[at % len(messages)])
                at += 1
            for _ in range(WINDOW):
                try:
                    sock.recv(4096)
                except TimeoutError:
                    break
                answered += 1
    return answered


def over_tcp(host: str, port: int, messages: Sequence[bytes], seconds: float) -> int:
    with socket.create_connection((host, port), timeout=5) as sock:
        stream = sock.makefile("rb")
        answered, at, end = 0, 0, time.monotonic() + seconds
        while time.monotonic() < end:
            batch = [messages[(at + n) % len(messages)] for n in range(WINDOW)]
            at += WINDOW
            sock.sendall(b"".join(struct.pack("!H", len(each)) + each for each in batch))
            for _ in range(WINDOW):
                stream.read(int.from_bytes(stream.read(2)))
            answered += WINDOW
    return answered


def cpu_seconds(pid: int) -> float:
    """Of a process and all its children."""
    total, pending = 0, [pid]
    while pending:
        one = pending.pop()
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
            pending += [int(each) for each in Path(f"/proc/{one}/task/{one}/children").read_text().split()]
    return total / TICKS


def loads(chance: random.Random) -> dict[str, tuple[Callable[..., int], str, list[bytes]]]:
    subnets = [dns.edns.ECSOption(f"{chance.randrange(1, 223)}.{n % 256}.0.0", 24) for n in range(500)]
    plain = mix(chance, 5000)
    return {
        "mix": (over_udp, "127.0.0.1", plain),
        "mix, IPv6": (over_udp, "::1", plain),
        "mix, EDNS": (over_udp, "127.0.0.1", mix(chance, 5000, use_edns=0)),
        "random names": (
            over_udp,
            "127.0.0.1",
            [query(f"r{chance.randrange(10**12)}.{ZONE}", "A") for _ in range(20_000)],
        ),
        "mix, TCP": (over_tcp, "127.0.0.1", plain),
        "weighted (ours alone)": (over_udp, "127.0.0.1", [query(f"weighted.{ZONE}", "A")]),
        "latency, subnets (ours alone)": (
            over_udp,
            "127.0.0.1",
            [query(f"latency.{ZONE}", "A", use_edns=0, options=[each]) for each in subnets],
        ),
    }


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=2)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--serve", type=int)
    given = arguments.parse_args()
    if given.serve:
        be_a_server(given.serve)
        return
    with contextlib.ExitStack() as stack:
        servers = {
            name: stack.enter_context(running(start))
            for name, (start, program) in SERVERS.items()
            if program is None or shutil.which(program)
        }
        for name, load in loads(random.Random(7)).items():
            report(name, load, servers, given)


def report(name: str, load, servers: dict[str, tuple[int, int]], given: argparse.Namespace) -> None:
    send, host, messages = load
    rates: dict[str, list[float]] = {
        each: [] for each in servers if "ours alone" not in name or each == "cloudstead"
    }
    for _ in range(given.rounds):
        for server, seen in rates.items():
            pid, port = servers[server]
            before = cpu_seconds(pid)
            answered = send(host, port, messages, given.seconds)
            seen.append(answered / max(cpu_seconds(pid) - before, 1 / TICKS))
    medians = {server: statistics.median(seen) for server, seen in rates.items()}
    told = ", ".join(f"{server} {rate / 1000:.0f} k" for server, rate in medians.items())
    against = medians.get("NSD")
    print(
        f"{name}: {told}" + (f"; {medians['cloudstead'] / against:.2f} of NSD" if against else ""), flush=True
    )


if __name__ == "__main__":
    main()
