"""The quick way of plain object requests says, byte for byte but for ids, what the whole chain says.

The operations have a short way for plain objects, too; the long one is taken throughout, and both are compared at once.
"""

import asyncio
import random
import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256
from time import process_time
from zlib import crc32

import pytest
import uvloop
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudstead.app.buckets import Buckets
from cloudstead.app.objects import Objects
from cloudstead.app.tables import Means, tables
from cloudstead.core.tools import Tools
from cloudstead.dataplane.http import Limits
from cloudstead.dataplane.http.connection import Connection
from cloudstead.dataplane.http.server import HttpServer, refuse_in_plain_text
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.incoming import wants_stream
from cloudstead.gateway.settings import Settings
from cloudstead.services.iam.credentials import StoredCredentials, ensure_root
from cloudstead.services.s3 import objects_plain
from cloudstead.services.s3.access_log_delivery import Deliveries
from cloudstead.store import Store

ACCOUNT, OTHER = "123456789012", "210987654321"
_IDS = re.compile(
    rb"(x-amzn?-request-?id|x-amz-id-2|x-amz-version-id|date|ETag): [^\r]*|<(RequestId|HostId)>[^<]*",
    re.IGNORECASE,
)


class Everybody:
    def authorize(self, caller, service, operation, request):
        pass


class Transport:
    def __init__(self):
        self.sent = bytearray()

    def get_extra_info(self, name):
        return ("127.0.0.1", 4566)

    def is_closing(self):
        return False

    def write(self, data):
        self.sent += data

    def writelines(self, pieces):
        self.sent += b"".join(pieces)

    def close(self):
        pass

    pause_reading = resume_reading = close


PLAIN_READ, PLAIN_WRITE = objects_plain.read, objects_plain.write


def _never(*_):
    return None


async def _never_later(*_):
    return None


class World:
    """A gateway in front of real S3, with and without the quick way."""

    def __init__(self, folder):
        self.store, self.tools = Store(None), Tools()
        self.keys = {account: ensure_root(self.store, self.tools, account) for account in (ACCOUNT, OTHER)}
        self.objects = Objects(folder, self.tools)
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
        self.quick = self.gateway._quick
        self.taken = 0
        self.server = HttpServer(
            self.gateway.handle,
            limits=Limits(),
            clock=self.tools.clock,
            ssl_context=None,
            wants_stream=wants_stream,
            refuse=refuse_in_plain_text,
            server_header="Cloudstead",
        )

    async def send(self, data, *, quick):
        self.gateway._quick = self if quick else None
        objects_plain.read = PLAIN_READ if quick else _never
        objects_plain.write = PLAIN_WRITE if quick else _never_later
        connection, transport = Connection(self.server), Transport()
        connection.connection_made(transport)
        connection.data_received(data)
        async with asyncio.timeout(10):
            while connection._task is not None:
                await asyncio.sleep(0)
        connection.connection_lost(None)
        return bytes(transport.sent)

    def take(self, http):
        """In the quick way's place, to count what it really answered."""
        taken = self.quick.take(http)
        if taken is None or not hasattr(taken, "__await__"):
            self.taken += taken is not None
            return taken

        async def counted():
            response = await taken
            self.taken += response is not None
            return response

        return counted()

    def request(
        self, method, path, body=b"", *, account=ACCOUNT, region="us-east-1", host="localhost:4566", **more
    ):
        headers = {
            "Host": host,
            "User-Agent": "test",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        if body or method == "PUT":
            headers["Content-Length"] = str(len(body))
        request = AWSRequest(method, f"http://{host}{path}", headers=headers)
        signer = S3SigV4Auth(Credentials(*self.keys[account]), "s3", region)
        hashed = sha256(body).hexdigest()
        signer.payload = lambda _: hashed
        signer.add_auth(request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
        return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(objects_plain, "read", PLAIN_READ)  # put back at the end
    monkeypatch.setattr(objects_plain, "write", PLAIN_WRITE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        async def made():
            return World(tmp_path / "objects")

        world = runner.run(made())
        world.run = runner.run
        runner.run(_buckets(world))
        yield world
        runner.run(world.objects.close())


async def _buckets(world):
    public = b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::policed/a*"}]}'
    made = [
        ("PUT", "/plain", b"", {}),
        ("PUT", "/kept", b"", {}),
        ("PUT", "/kept?versioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", {}),
        ("PUT", "/policed", b"", {}),
        ("DELETE", "/policed?publicAccessBlock", b"", {}),
        ("PUT", "/policed?policy", public, {}),
        ("PUT", "/hidden", b"", {}),
        ("PUT", "/hidden?encryption", b"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>", {}),
        ("PUT", "/plain/a", b"hello", {"x_amz_meta_colour": "red", "x_amz_tagging": "a=b"}),
        ("PUT", "/plain/large", bytes(60_000), {"cache_control": "no-cache"}),
        ("PUT", "/policed/a", b"hello", {}),
    ]  # fmt: skip
    for method, path, body, more in made:
        answer = await world.send(world.request(method, path, body, **more), quick=False)
        assert answer[9:12] in (b"200", b"204"), answer


def _any(chance, world):
    """Any request about an object, plain ones most often."""
    method = chance.choice(("GET", "GET", "HEAD", "PUT", "DELETE"))
    bucket = chance.choice(("plain", "plain", "kept", "policed", "hidden", "absent"))
    key = chance.choice(
        (
            "a", "b", "large", "folder/x.txt", "folder/", "a//b", "a/../b", "%C3%BC", "~_-.", ".a", "k" * 257,
            "_cloudstead/health", "v20180820/x", "2015-03-31/functions", "doc/2006-03-01",
        )
    )  # fmt: skip
    body = chance.choice((b"", b"hello", bytes(3000))) if method == "PUT" else b""
    choices = [
        {"content_type": "text/plain"},
        {"x_amz_meta_a": "b", "x_amz_meta_C": "d"},
        {"x_amz_meta_a": chance.choice(("=?UTF-8?Q?abc?=", "=?UTF-8?B?w7w=?=", "a  b", "", "\xe9", "\x7f", "a\tb"))},
        {"x_amz_meta_": "b"},
        {"content_type": chance.choice(("", "t\xe9xt", "a/b;  c", "a\tb", "x" * 3000))},
        {"x_amz_meta_a": "x" * chance.choice((127, 128, 129, 2047, 2048))},
        {"x_amz_checksum_crc32": "AAAAAA=="},
        {"x_amz_checksum_crc32": _crc32(body), "x_amz_sdk_checksum_algorithm": "CRC32"},
        {"x_amz_sdk_checksum_algorithm": "CRC32"},
        {"content_md5": "x"},
        {"cache_control": "max-age=1"},
        {"expect": "100-continue"},
        {"x_amz_acl": "public-read"},
        {"x_amz_storage_class": "GLACIER"},
        {"x_amz_server_side_encryption": "AES256"},
        {"origin": "http://page.example"},
    ]  # fmt: skip
    if method in ("GET", "HEAD"):
        choices = [
            {"range": chance.choice(("bytes=0-2", "bytes=-1", "bytes=9999999-", "bytes=5-1", "lines=1"))},
            {"x_amz_checksum_mode": chance.choice(("ENABLED", "enabled", "x"))},
            {"if_match": '"x"'},
            {"x_amz_expected_bucket_owner": OTHER},
        ]
    more = chance.choice(choices) if chance.random() < 0.4 else {}
    account = OTHER if chance.random() < 0.1 else ACCOUNT
    region = "eu-west-1" if chance.random() < 0.05 else "us-east-1"
    query = chance.choice(("?versionId=null", "?tagging", "?x")) if chance.random() < 0.05 else ""
    if chance.random() < 0.2:
        host = f"{bucket}.s3.{chance.choice(('us-east-1.', 'eu-west-1.', ''))}localhost:4566"
        return world.request(
            method, f"/{key}{query}", body, account=account, region=region, host=host, **more
        )
    return world.request(method, f"/{bucket}/{key}{query}", body, account=account, region=region, **more)


def _crc32(body):
    return b64encode(crc32(body).to_bytes(4, "big")).decode()


def _spoiled(chance, request):
    """One byte of the head otherwise: mostly a signature that does not hold."""
    at = chance.randrange(request.index(b"\r\n\r\n"))
    return request[:at] + bytes([chance.randrange(33, 127)]) + request[at + 1 :]


async def _read_back(world, request):
    """What the chain says then is there, if the request was to write it."""
    found = re.match(rb"PUT (/[!-~]*) HTTP/1.1\r\nHost: ([!-~]+)\r\n", request)
    if found is None:
        return b""
    path, host = found[1].decode().partition("?")[0], found[2].decode()
    got = await world.send(world.request("GET", path, host=host), quick=False)
    return _IDS.sub(rb"\1", re.sub(rb"Last-Modified: [^\r]*", b"", got, flags=re.IGNORECASE))


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_say_the_same(world, seed):
    chance = random.Random(seed)

    async def compare():
        for _ in range(250):
            request = _any(chance, world)
            if chance.random() < 0.1:
                request = _spoiled(chance, request)
            before = world.taken
            quick = await world.send(request, quick=True)
            kept = await _read_back(world, request)
            whole = await world.send(request, quick=False)
            assert _IDS.sub(rb"\1", quick) == _IDS.sub(rb"\1", whole), (request, world.taken - before)
            assert kept == await _read_back(world, request), (request, world.taken - before)

    world.run(compare())
    assert world.taken > 25, "the quick way was hardly taken"


def test_what_was_put_the_quick_way_is_what_the_chain_gets(world):
    async def both():
        put = world.request("PUT", "/plain/new", b"0123456789", x_amz_meta_a="b", content_type="text/css")
        await world.send(put, quick=True)
        return await world.send(world.request("GET", "/plain/new"), quick=False)

    answer = world.run(both())

    assert world.taken == 1
    head, _, body = answer.partition(b"\r\n\r\n")
    assert body == b"0123456789"
    assert b"x-amz-meta-a: b" in head
    assert b"Content-Type: text/css" in head


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_plain_request_takes_the_quick_way(world, method):
    world.run(world.send(world.request(method, "/plain/a"), quick=True))

    assert world.taken == 1


@pytest.mark.parametrize("host", ["localhost:4566", "plain.s3.localhost:4566"])
def test_a_long_key_that_is_not_plain_is_soon_known(world, host):
    path = f"{'' if host.startswith('plain') else '/plain'}/{'a' * 900}%20"
    began = process_time()

    answer = world.run(world.send(world.request("GET", path, host=host), quick=True))

    assert b"<Code>NoSuchKey</Code>" in answer
    assert process_time() - began < 2


@pytest.mark.parametrize("late_s", [-901, 901])
def test_a_request_that_was_signed_too_long_ago_is_left_to_the_chain(world, late_s, monkeypatch):
    request = world.request("GET", "/plain/a")
    then = world.tools.clock.now() + timedelta(seconds=late_s)
    monkeypatch.setattr(type(world.tools.clock), "now", lambda _: then)

    answer = world.run(world.send(request, quick=True))

    assert world.taken == 0
    assert b"<Code>RequestTimeTooSkewed</Code>" in answer


def test_a_request_about_a_logged_bucket_is_left_to_the_chain(world):
    async def logged():
        for request in (
            world.request("PUT", "/logs"),
            world.request(
                "PUT",
                "/logs?policy",
                b'{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}]}',
            ),
            world.request(
                "PUT",
                "/plain?logging",
                b"<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>p/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
            ),
        ):
            answer = await world.send(request, quick=False)
            assert answer[9:12] in (b"200", b"204"), answer
        return await world.send(world.request("GET", "/plain/a"), quick=True)

    answer = world.run(logged())

    assert answer[9:12] == b"200"
    assert world.taken == 0
