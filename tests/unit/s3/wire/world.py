"""The real gateway before the real S3 and its engine, spoken to in bytes: all but the kernel's sockets is there.

What it was refused must not have changed anything: commits of objects and of rows are counted to tell.
"""

import asyncio
import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cloudstead.app.buckets import Buckets
from cloudstead.app.objects import Objects
from cloudstead.app.tables import Means, tables
from cloudstead.core.tools import Tools
from cloudstead.dataplane.http import Limits
from cloudstead.dataplane.http.connection import Connection, Phase
from cloudstead.dataplane.http.server import HttpServer
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.failing import refuse
from cloudstead.gateway.incoming import wants_stream
from cloudstead.gateway.settings import Settings
from cloudstead.services.iam.credentials import StoredCredentials, ensure_root
from cloudstead.services.s3.access_log_delivery import Deliveries
from cloudstead.store import Store

ACCOUNT = "123456789012"
HOST = "localhost:4566"
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [^\r]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
#: Characters that XML 1.0 has no way to write; S3 writes them all the same, as references.
_UNWRITABLE = re.compile(rb"&#(?:x[0-9a-fA-F]+|[0-9]+);")


class Everybody:
    def authorize(self, caller, service, operation, request):
        pass


class Transport:
    """The client's end: keeps what was sent to it."""

    def __init__(self):
        self.sent = bytearray()
        self.closed = False

    def get_extra_info(self, name):
        return ("127.0.0.1", 4566)

    def is_closing(self):
        return self.closed

    def write(self, data):
        self.sent += data

    def writelines(self, pieces):
        self.sent += b"".join(pieces)

    def close(self):
        self.closed = True

    abort = close

    def pause_reading(self):
        pass

    resume_reading = pause_reading


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self):
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found[1].decode() if found else None


class World:
    def __init__(self, folder):
        self.store, self.tools = Store(None), Tools()
        self.key = ensure_root(self.store, self.tools, ACCOUNT)
        self.objects = Objects(folder, self.tools)
        self.commits = 0
        operations = tables(Means(store=self.store, tools=self.tools, objects=self.objects))
        deliveries = Deliveries(self.store, self.tools, operations["s3"]["PutObject"])
        self.gateway = Gateway(
            operations,
            StoredCredentials(self.store),
            Everybody(),
            settings=Settings(default_account=ACCOUNT, default_region="us-east-1"),
            tools=self.tools,
            buckets=Buckets(self.store, self.tools, deliveries),
        )
        self.server = HttpServer(
            self.gateway.handle,
            limits=Limits(head_timeout_s=0.5, body_timeout_s=0.5, idle_timeout_s=0.5, linger_timeout_s=0.2),
            clock=self.tools.clock,
            ssl_context=None,
            wants_stream=wants_stream,
            refuse=refuse,
            server_header="Cloudstead",
        )

    async def open(self):
        await self.objects.open()
        real = self.objects._real
        commit = real.commit

        async def counted(*arguments, **named):
            found = await commit(*arguments, **named)
            self.commits += 1
            return found

        real.commit = counted

    async def send(self, *pieces):
        """All that comes back; a request that is not whole ends with its connection."""
        connection, transport = Connection(self.server), Transport()
        connection.connection_made(transport)
        for piece in pieces:
            if not transport.closed:
                connection.data_received(piece)
                await asyncio.sleep(0)
        if connection._phase in (Phase.HEAD, Phase.BODY):
            connection.connection_lost(None)
        async with asyncio.timeout(20):
            while connection._task is not None:
                await asyncio.sleep(0)
        connection.connection_lost(None)
        return bytes(transport.sent)

    async def ask(self, *pieces):
        """The one answer."""
        (found,) = answers(await self.send(*pieces))
        return found


def answers(sent):
    """The responses that stand in what was sent."""
    found, at = [], 0
    while at < len(sent):
        head = _HEAD.match(sent, at)
        assert head, sent
        lines = [line.partition(b":") for line in head[2].split(b"\r\n")[:-1]]
        headers = {
            name.decode("latin-1").lower(): value.strip().decode("latin-1") for name, _, value in lines
        }
        at = head.end()
        status = int(head[1])
        if status == 100:
            continue
        size = int(headers.get("content-length", "0"))
        body = b"" if _HEAD.match(sent, at) else sent[at : at + size]
        at += len(body)
        found.append(Answer(status, headers, body))
    return found


def check_refusal(answer, *, head=False):
    """An error as S3 says it: XML with a code and a message, or nothing where only headers were asked for."""
    assert answer.status < 500 or answer.code in ("NotImplemented", "SlowDown"), answer
    if answer.status < 400 or (not answer.body and (head or answer.status == 304)):
        return
    if "json" in answer.headers["content-type"]:
        assert b'"__type"' in answer.body, answer  # the request named another service's target
        return
    assert "xml" in answer.headers["content-type"], answer
    root = ET.fromstring(_UNWRITABLE.sub(b"?", answer.body))
    assert root.tag in ("Error", "ErrorResponse"), answer
    for wanted in ("Code", "Message"):
        assert root.find(f".//{wanted}") is not None, answer
