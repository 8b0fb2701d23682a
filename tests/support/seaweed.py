"""A SeaweedFS cluster: a real one in processes (`Weed`), and one in memory that does what that does (`FakeCluster`)."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.cloud import TOOLS, until

_STATUS = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    206: "Partial Content",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class FakeServer:
    """A volume server: its needles by path. `trouble` may answer in its place, or hang."""

    def __init__(self, rack):
        self.rack = rack
        self.needles = {}
        self.synced = set()
        self.trouble = None
        self.address = ""

    async def answer(self, method, path, query, headers, body):
        if self.trouble is not None:
            said = await self.trouble(method, path, query)
            if said is not None:
                return said
        if method == "POST":
            assert query["type"] == ["replicate"], "each copy is written from here"
            self.needles[path] = body
            if query.get("fsync") == ["true"]:
                self.synced.add(path)
            return 201, b"{}"
        if method == "DELETE":
            return (202 if self.needles.pop(path, None) is not None else 404), b"{}"
        data = self.needles.get(path)
        if data is None:
            return 404, b""
        if "range" not in headers:
            return 200, data
        first, last = headers["range"].removeprefix("bytes=").split("-")
        return 206, data[int(first) : int(last) + 1]


class FakeCluster:
    """A master and volume servers in racks of their own, listening on loopback in the test's own loop."""

    def __init__(self, racks=3):
        self.servers = [FakeServer(f"r{n}") for n in range(racks)]
        self.alive = list(self.servers)
        self.volumes = {}  # id -> servers
        self.master = ""
        self.master_is_away = False
        self.assigned = 0
        self._next_key = 1
        self._listening = {}

    @asynccontextmanager
    async def running(self):
        self.master = await self._listen(self, self._answer)
        for server in self.servers:
            server.address = await self._listen(server, server.answer)
        try:
            yield self
        finally:
            for who in list(self._listening):
                await self._hang_up(who)

    async def kill(self, server, *, known=True):
        """It answers no more; with `known` the master has seen that."""
        await self._hang_up(server)
        if known:
            self.alive.remove(server)

    async def revive(self, server):
        server.address = await self._listen(server, server.answer)
        self.alive.append(server)

    @property
    def needles(self):
        """Every needle, and how many copies of it there are."""
        found = {}
        for server in self.servers:
            for path in server.needles:
                found[path] = found.get(path, 0) + 1
        return found

    async def _answer(self, method, path, query, headers, body):
        if self.master_is_away:
            return 500, b"{}"
        if path == "/dir/lookup":
            where = [one for one in self.volumes.get(int(query["volumeId"][0]), ()) if one in self.alive]
            if not where:
                return 404, b'{"error":"volume id not found"}'
            return 200, json.dumps({"locations": [{"url": one.address} for one in where]}).encode()
        if path == "/cluster/status":
            return 200, b'{"IsLeader":true}'
        assert path == "/dir/assign"
        assert query["replication"] == ["010"]
        if len(self.alive) < 2:
            return 503, b'{"error":"no writable volumes"}'
        self.assigned += 1
        at = self.assigned % len(self.alive)
        volume = self.assigned
        self.volumes[volume] = [self.alive[at], self.alive[at - 1]]
        count, key = int(query["count"][0]), self._next_key
        self._next_key += count
        return 200, json.dumps({"fid": f"{volume},{key:02x}{volume * 7919:08x}", "count": count}).encode()

    async def _listen(self, who, answer):
        writers = set()

        async def serve(reader, writer):
            writers.add(writer)
            try:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    first, *lines = head.strip().split("\r\n")
                    headers = {
                        line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines
                    }
                    method, target, _ = first.split()
                    body = await reader.readexactly(int(headers.get("content-length", "0")))
                    url = urlsplit(target)
                    status, said = await answer(method, url.path, parse_qs(url.query), headers, body)
                    writer.write(f"HTTP/1.1 {status} {_STATUS[status]}\r\n".encode())
                    writer.write(f"Content-Length: {len(said)}\r\n\r\n".encode())
                    writer.write(b"" if method == "HEAD" else said)
                    await writer.drain()
            except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
                pass
            finally:
                writer.transport.abort()
                writers.discard(writer)

        listening = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
        self._listening[who] = listening, writers
        return f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"

    async def _hang_up(self, who):
        if who in self._listening:
            listening, writers = self._listening.pop(who)
            listening.close()
            for writer in list(writers):
                writer.transport.abort()


class Weed:
    """One master and three volume servers in racks of their own, in the network where this is made."""

    PROGRAM = TOOLS / "weed"
    MASTER = "127.0.0.1:9333"

    def __init__(self, folder: Path):
        self._folder = folder
        self._processes = {}

    @classmethod
    def is_here(cls) -> bool:
        return cls.PROGRAM.exists()

    def start(self, *, racks=3):
        self._run(
            "master",
            "-port=9333",
            f"-mdir={self._made('master')}",
            "-volumeSizeLimitMB=64",
            "-telemetry=false",
        )
        for n in range(racks):
            self.start_volume_server(n)
        until(lambda: len(self._servers()) == racks, timeout_s=25)

    def start_volume_server(self, n):
        self._run(
            "volume",
            f"-port={9340 + n}",
            f"-dir={self._made(f'volume{n}')}",
            f"-master={self.MASTER}",
            f"-rack=r{n}",
            "-dataCenter=dc1",
            "-max=40",
            name=f"volume{n}",
        )

    def kill(self, name):
        """The process ends at once, with what it holds open."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self):
        for name in list(self._processes):
            self.kill(name)
        shutil.rmtree(self._folder, ignore_errors=True)

    def files(self):
        """How many needles there are in each volume's copy, by server and volume."""
        found = {}
        for server in self._servers():
            with urllib.request.urlopen(f"http://{server}/status", timeout=5) as answer:
                for volume in json.load(answer)["Volumes"] or ():
                    found[server, volume["Id"]] = volume["FileCount"] - volume["DeleteCount"]
        return found

    def _servers(self):
        try:
            with urllib.request.urlopen(f"http://{self.MASTER}/dir/status", timeout=5) as answer:
                centers = json.load(answer)["Topology"]["DataCenters"] or ()
        except (urllib.error.URLError, OSError, ValueError):
            return []
        racks = [rack for center in centers for rack in center["Racks"] or ()]
        return [node["Url"] for rack in racks for node in rack["DataNodes"] or ()]

    def _made(self, name):
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _run(self, kind, *words, name=None):
        with (self._folder / f"{name or kind}.log").open("ab") as log:
            self._processes[name or kind] = subprocess.Popen(
                [str(self.PROGRAM), "-logtostderr=true", kind, "-ip=127.0.0.1", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self._folder)},
            )
