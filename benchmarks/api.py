"""The API beside its peers, in one run: moto server and MiniStack, started on loopback one after the other.

    python benchmarks/api.py            # prints a table; about two minutes
    python benchmarks/api.py --quick

Each server gets the same bytes: requests are signed once with botocore and replayed over one kept-alive connection,
a bounded number of times. CPU is that of the server's whole process tree, from /proc. Ratios are what counts: times
of two runs are not comparable. Peers must be importable by the interpreter given with --peers (they are no
dependency of ours): `pip install 'moto[server]' ministack` in an environment of their own.
"""

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

HERTZ = os.sysconf("SC_CLK_TCK")
VERSIONS = {"sts": "2011-06-15", "ec2": "2016-11-15"}


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def tree(pid):
    """A process and all below it."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def cpu_s(pid):
    total = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / HERTZ


def pss_mb(pid):
    total = 0
    for one in tree(pid):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


class Peer:
    """A server under test: how to start it, and the credentials it wants."""

    def __init__(self, name, command, environment, port, credentials):
        self.name, self.command, self.environment, self.port = name, command, environment, port
        self.credentials = credentials
        self.process = None

    def start(self):
        """Start it; return the seconds until the first answered GetCallerIdentity."""
        began = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            env={**os.environ, **self.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while time.monotonic() - began < 60:
            try:
                if callable(self.credentials):
                    self.credentials = self.credentials()
                status, _ = self.call(self.request("sts", "GetCallerIdentity"))
            except (OSError, http.client.HTTPException, KeyError):
                time.sleep(0.005)
                continue
            assert status == 200, (self.name, status)
            return time.monotonic() - began
        raise RuntimeError(f"{self.name} does not answer")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def request(self, service, action, **members):
        from urllib.parse import urlencode

        body = urlencode({"Action": action, "Version": VERSIONS[service], **members})
        request = AWSRequest(
            "POST",
            f"http://127.0.0.1:{self.port}/",
            headers={
                "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
                "Host": f"127.0.0.1:{self.port}",
            },
            data=body,
        )
        SigV4Auth(Credentials(*self.credentials), service, "us-east-1").add_auth(request)
        return body.encode(), dict(request.headers.items())

    def call(self, signed, connection=None):
        body, headers = signed
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        own.request("POST", "/", body, headers)
        response = own.getresponse()
        answer = response.status, response.read()
        if connection is None:
            own.close()
        return answer

    def measure(self, signed, count):
        """Median latency in ms, and server CPU per request in ms, over `count` calls on one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for _ in range(min(count, 20)):
            self.call(signed, connection)
        before, times = cpu_s(self.process.pid), []
        for _ in range(count):
            began = time.perf_counter()
            status, answer = self.call(signed, connection)
            times.append(time.perf_counter() - began)
            assert status == 200, (self.name, status, answer[:500])
        cpu_ms = (cpu_s(self.process.pid) - before) / count * 1000
        connection.close()
        return statistics.median(times) * 1000, cpu_ms


def cloudstead(folder):
    port = free_port()
    data = folder / "data"
    home = folder / "home"
    home.mkdir()

    def credentials():
        # No `up` in the foreground has printed them yet: they are in the profile as soon as it answers.
        section = {}
        for line in (home / ".aws" / "credentials").read_text().splitlines():
            name, _, value = line.partition("=")
            section[name.strip()] = value.strip()
        return section["aws_access_key_id"], section["aws_secret_access_key"]

    return Peer(
        "cloudstead",
        [sys.executable, "-m", "cloudstead", "up"],
        {
            "HOME": str(home),
            "CLOUDSTEAD_DATA": str(data),
            "CLOUDSTEAD_PORT": str(port),
            "CLOUDSTEAD_DNS_PORT": str(free_port()),
            "CLOUDSTEAD_MACHINES": "fake",
        },
        port,
        credentials,
    )


def moto(python):
    port = free_port()
    return Peer("moto", [python, "-m", "moto.server", "-p", str(port)], {}, port, ("test", "test"))


def ministack(python):
    port = free_port()
    script = Path(python).parent / "ministack"
    return Peer("ministack", [str(script)], {"GATEWAY_PORT": str(port)}, port, ("test", "test"))


def image_of(peer):
    if peer.name == "cloudstead":
        _, answer = peer.call(
            peer.request(
                "ec2", "DescribeImages", **{"Filter.1.Name": "name", "Filter.1.Value.1": "cloudstead-tiny-*"}
            )
        )
        return answer.decode().partition("<imageId>")[2].partition("<")[0]
    return "ami-12c6146b"


def run(peer, quick):
    found = {"start to first answer, s": (peer.start(), None)}
    time.sleep(1)
    found["idle memory, MB PSS"] = (pss_mb(peer.process.pid), None)
    found["GetCallerIdentity"] = peer.measure(
        peer.request("sts", "GetCallerIdentity"), 300 if quick else 2000
    )
    launch = {"ImageId": image_of(peer), "InstanceType": "t3.micro", "MinCount": "1", "MaxCount": "1"}
    found["RunInstances, 1"] = peer.measure(
        peer.request("ec2", "RunInstances", **launch), 10 if quick else 40
    )
    many = 200 if quick else 1000
    for _ in range(many // 50):
        status, answer = peer.call(
            peer.request("ec2", "RunInstances", **{**launch, "MinCount": "50", "MaxCount": "50"})
        )
        assert status == 200, (peer.name, answer[:500])
    deadline = time.monotonic() + 60
    while b">pending<" in peer.call(peer.request("ec2", "DescribeInstances"))[1]:
        assert time.monotonic() < deadline, "still not running"
        time.sleep(0.2)
    time.sleep(2)  # what has come to rest is looked at once more
    found[f"DescribeInstances, {many}"] = peer.measure(
        peer.request("ec2", "DescribeInstances"), 5 if quick else 20
    )
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--peers", default=sys.executable, help="the Python that has moto[server] and ministack"
    )
    parser.add_argument("--only", help="one server's name")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cloudstead-bench-"))
    results = {}
    for peer in (cloudstead(folder), ministack(options.peers), moto(options.peers)):
        if options.only and peer.name != options.only:
            continue
        try:
            results[peer.name] = run(peer, options.quick)
        except (OSError, RuntimeError, AssertionError) as e:
            print(f"{peer.name}: left out: {e}", file=sys.stderr)
        finally:
            if peer.process is not None:
                peer.stop()
    shutil.rmtree(folder, ignore_errors=True)
    print("| |", " | ".join(results), "|")
    print("|---|", "---|" * len(results))
    for line in next(iter(results.values())):
        cells = []
        for found in results.values():
            wall, cpu = found[line]
            cells.append(f"{wall:.2f}" if cpu is None else f"{wall:.2f} ms, {cpu:.2f} ms CPU")
        print(f"| {line} | {' | '.join(cells)} |")
    print(json.dumps({"cores": os.cpu_count(), "python": sys.version.split()[0]}))


if __name__ == "__main__":
    main()
