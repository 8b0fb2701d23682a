"""S3's bodies through the gateway, over a real socket: read while they come, believed at their end alone."""

import asyncio
import re
from collections.abc import AsyncIterator
from hashlib import sha256
from hmac import digest

import pytest
import uvloop
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudstead.core.caller import Credential
from cloudstead.core.errors import ServiceError
from cloudstead.core.streams import Outgoing
from cloudstead.dataplane.http import Limits, listen, serve
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.failing import refuse
from cloudstead.gateway.incoming import UPLOAD_BYTES_MAX, wants_stream
from cloudstead.gateway.sigv4 import signing_key

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
CREDENTIAL = Credential(
    access_key_id=KEY,
    secret_access_key=SECRET,
    account="1",
    arn="arn:aws:iam::1:root",
    user_id="1",
    principal="root",
)
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
UNSIGNED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
CONTENT = bytes(range(256)) * 1024  # 256 KiB
SIZE = len(CONTENT)
SHA256 = sha256(CONTENT).hexdigest()


class OneKey:
    def find(self, access_key_id):
        return CREDENTIAL if access_key_id == KEY else None


class Everybody:
    def authorize(self, caller, service, operation, request):
        pass


class Objects:
    """Three operations that keep what they were given, once it was whole."""

    def __init__(self):
        self.kept = {}
        self.trailers = {}
        self.failures = []
        self.closed = 0

    async def put_object(self, caller, request):
        body = request["Body"]
        self.metadata = request.get("Metadata")
        if isinstance(body, bytes):
            self.kept[request["Key"]] = body
            return {}
        pieces = []
        try:
            async for piece in body:
                assert len(piece) <= 1024 * 1024
                pieces.append(piece)
        except ServiceError as e:
            self.failures.append(e.code)
            raise
        assert body.length == sum(map(len, pieces))
        self.kept[request["Key"]] = b"".join(pieces)
        self.trailers = dict(body.trailers)
        return {}

    async def get_object(self, caller, request):
        kept = self.kept.get(request["Key"])
        if kept is None:
            raise ServiceError("The specified key does not exist.", code="NoSuchKey", status=404)
        if "Range" in request:
            return {"Body": kept[:5], "ContentRange": f"bytes 0-4/{len(kept)}", "ContentLength": 5}
        return {"Body": Outgoing(len(kept), self._pieces(kept)), "ContentType": "text/x-test"}

    async def _pieces(self, kept) -> AsyncIterator[bytes]:
        try:
            for at in range(0, len(kept), 50_000):
                yield kept[at : at + 50_000]
        finally:
            self.closed += 1

    async def head_object(self, caller, request):
        if request["Key"] not in self.kept:
            raise ServiceError("Not Found", code="404", status=404)
        return {"ContentLength": len(self.kept[request["Key"]])}

    def delete_objects(self, caller, request):
        return {"Deleted": [{"Key": each["Key"]} for each in request["Delete"]["Objects"]]}


class World:
    def __init__(self, objects, port):
        self.objects = objects
        self.port = port

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, *pieces, method=""):
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
            return await answer(reader, method)
        finally:
            writer.close()

    async def put(self, body, payload, headers=None, path="/bucket/key", method="PUT"):
        """Sign the headers, whatever `payload` they tell of the body, and send."""
        head, _ = signed(method, path, {"Content-Length": str(len(body)), **(headers or {})}, payload)
        return await self.ask(head, body)


async def answer(reader, method=""):
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ")[1])
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        length = 0 if status == 100 or method == "HEAD" else int(headers.get("content-length", "0"))
        return status, headers, await reader.readexactly(length)


def signed(method, path, headers, payload, service="s3"):
    """The head of a request as botocore signs it, and its signature."""
    request = AWSRequest(
        method, f"http://127.0.0.1:4566{path}", headers={"Host": "127.0.0.1:4566", **headers}
    )
    signer = S3SigV4Auth(Credentials(KEY, SECRET), service, "us-east-1")
    signer.payload = lambda _: payload
    signer.add_auth(request)
    lines = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode(), request.headers


def chunked(content, headers, *, size=64 * 1024, trailers=None, is_signed=True):
    """The body as a client codes it, from the specification."""
    at = headers["X-Amz-Date"]
    last = re.search("Signature=([0-9a-f]+)", headers["Authorization"])[1]
    key = signing_key(SECRET, at[:8], "us-east-1", "s3")
    common = f"{at}\n{at[:8]}/us-east-1/s3/aws4_request"
    out = b""
    for start in range(0, len(content) + size, size):
        chunk = content[start : start + size]
        out += b"%x" % len(chunk)
        if is_signed:
            hashes = f"{sha256(b'').hexdigest()}\n{sha256(chunk).hexdigest()}"
            last = digest(
                key, f"AWS4-HMAC-SHA256-PAYLOAD\n{common}\n{last}\n{hashes}".encode(), "sha256"
            ).hex()
            out += b";chunk-signature=" + last.encode()
        out += b"\r\n" + (chunk + b"\r\n" if chunk else b"")
    text = "".join(f"{name}:{value}\n" for name, value in (trailers or {}).items())
    out += text.replace("\n", "\r\n").encode()
    if trailers is not None and is_signed:
        hashed = sha256(text.encode()).hexdigest()
        said = digest(key, f"AWS4-HMAC-SHA256-TRAILER\n{common}\n{last}\n{hashed}".encode(), "sha256").hex()
        out += f"x-amz-trailer-signature:{said}\r\n".encode()
    return out + b"\r\n"


@pytest.fixture
def run():
    def run_scenario(scenario, **limited):
        async def bounded():
            objects = Objects()
            table = {
                "PutObject": objects.put_object,
                "GetObject": objects.get_object,
                "HeadObject": objects.head_object,
                "DeleteObjects": objects.delete_objects,
            }
            identity = {"GetCallerIdentity": lambda caller, _: {"Account": caller.account}}
            gateway = Gateway({"s3": table, "sts": identity}, OneKey(), Everybody())
            limits = Limits(linger_timeout_s=0.2, **limited)
            server = await serve(
                listen("127.0.0.1", 0),
                gateway.handle,
                limits=limits,
                wants_stream=wants_stream,
                refuse=refuse,
            )
            try:
                async with asyncio.timeout(30):
                    await scenario(World(objects, server.ports[0]))
            finally:
                await server.stop(within_s=1)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(bounded())

    return run_scenario


def code(body):
    return re.search(rb"<Code>(.*?)</Code>", body)[1].decode()


def test_a_large_body_is_kept_if_its_hash_is_the_signed_one(run):
    async def scenario(world):
        assert (await world.put(CONTENT, SHA256))[0] == 200
        assert world.objects.kept == {"key": CONTENT}
        status, _, body = await world.put(CONTENT[:-1] + b"!", SHA256, path="/bucket/other")
        assert (status, code(body)) == (400, "XAmzContentSHA256Mismatch")
        assert world.objects.failures == ["XAmzContentSHA256Mismatch"]
        assert (await world.put(CONTENT, "UNSIGNED-PAYLOAD", path="/bucket/unsigned"))[0] == 200
        assert world.objects.kept.keys() == {"key", "unsigned"}

    run(scenario)


@pytest.mark.parametrize("length", ["9000000", "123"])
def test_nobody_uploads_who_is_refused_by_the_headers(run, length):
    async def scenario(world):
        expect = {"Content-Length": length, "Expect": "100-continue"}
        head, _ = signed("PUT", "/bucket/key", expect, SHA256)
        assert (await world.ask(head.replace(b"/bucket/key", b"/bucket/other")))[0] == 403
        reader, writer = await world.connect()
        writer.write(head)
        assert (await answer(reader))[0] == 100
        writer.close()
        too_large = {"Content-Length": str(UPLOAD_BYTES_MAX + 1), "Expect": "100-continue"}
        status, _, body = await world.ask(signed("PUT", "/bucket/key", too_large, "UNSIGNED-PAYLOAD")[0])
        assert (status, code(body)) == (400, "EntityTooLarge")
        assert b"<MaxSizeAllowed>5368709120</MaxSizeAllowed>" in body

    run(scenario)


def test_a_client_that_goes_away_leaves_nothing(run):
    async def scenario(world):
        head, _ = signed("PUT", "/bucket/key", {"Content-Length": str(len(CONTENT))}, SHA256)
        _, writer = await world.connect()
        writer.write(head + CONTENT[:100_000])
        await asyncio.sleep(0.05)
        writer.close()
        while not world.objects.failures:
            await asyncio.sleep(0.01)
        assert (world.objects.failures, world.objects.kept) == (["IncompleteBody"], {})

    run(scenario)


@pytest.mark.parametrize("size", [1000, SIZE], ids=["small", "large"])
def test_a_body_that_does_not_come_is_a_request_that_timed_out(run, size):
    async def scenario(world):
        head, _ = signed("PUT", "/bucket/key", {"Content-Length": str(size)}, SHA256)
        reader, writer = await world.connect()
        writer.write(head + b"x")
        status, _, body = await answer(reader)
        assert (status, code(body)) == (400, "RequestTimeout")
        assert world.objects.kept == {}
        writer.close()

    run(scenario, body_timeout_s=0.2, body_bytes_per_s_min=1 << 30)


TRAILER = {"x-amz-checksum-crc32c": "AAAAAA=="}


def coded(payload, *, trailers=None, length=SIZE, change=lambda body: body):
    """A whole aws-chunked PUT, its body changed on the way."""
    headers = {"x-amz-decoded-content-length": str(length), "Content-Encoding": "aws-chunked"}
    if trailers:
        headers["x-amz-trailer"] = ",".join(trailers)
    if payload.endswith("-TRAILER") and trailers is None:
        trailers = {}
    head, told = signed("PUT", "/bucket/key", headers, payload)
    body = change(chunked(CONTENT, told, trailers=trailers, is_signed="AWS4" in payload))
    return head[:-2] + b"Content-Length: %d\r\n\r\n" % len(body), body


@pytest.mark.parametrize(
    ("payload", "trailers"),
    [(SIGNED, None), (SIGNED + "-TRAILER", TRAILER), (UNSIGNED, TRAILER), (UNSIGNED, {})],
)
def test_a_chunk_coded_body_is_decoded_while_it_comes(run, payload, trailers):
    async def scenario(world):
        head, body = coded(payload, trailers=trailers)
        assert (await world.ask(head, *(body[at : at + 7777] for at in range(0, len(body), 7777))))[0] == 200
        assert world.objects.kept == {"key": CONTENT}
        assert world.objects.trailers == (trailers or {})

    run(scenario)


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (
            lambda: coded(SIGNED, change=lambda body: body.replace(b"\x07\x08", b"\x08\x07", 1)),
            "SignatureDoesNotMatch",
        ),
        (lambda: coded(SIGNED, change=lambda body: body[: body.rindex(b"0;chunk")]), "IncompleteBody"),
        (lambda: coded(SIGNED, length=len(CONTENT) + 1), "IncompleteBody"),
        (lambda: coded(SIGNED, length=len(CONTENT) - 1), "IncompleteBody"),
        (
            lambda: coded(
                SIGNED + "-TRAILER", trailers=TRAILER, change=lambda body: body.replace(b"AAAAAA", b"BAAAAA")
            ),
            "SignatureDoesNotMatch",
        ),
        (
            lambda: coded(UNSIGNED, trailers=TRAILER, change=lambda body: body.replace(b"crc32c", b"crc32x")),
            "MalformedTrailerError",
        ),
        (
            lambda: coded(UNSIGNED, change=lambda body: body.replace(b"10000\r\n", b"zz\r\n", 1)),
            "InvalidRequest",
        ),
    ],
    ids=["content", "no end", "too short", "too long", "trailer", "other trailer", "no size"],
)
def test_a_chunk_coded_body_that_is_not_as_signed_is_refused_and_nothing_kept(run, asked, refusal):
    async def scenario(world):
        status, _, body = await world.ask(*asked())
        assert status >= 400
        assert code(body) == refusal
        assert world.objects.kept == {}
        assert world.objects.failures == [refusal]

    run(scenario)


def test_a_length_must_be_known(run):
    async def scenario(world):
        head, _ = signed("PUT", "/bucket/key", {}, "UNSIGNED-PAYLOAD")
        status, _, body = await world.ask(head)
        assert (status, code(body)) == (411, "MissingContentLength")
        of_something, _ = signed("PUT", "/bucket/key", {}, sha256(b"abc").hexdigest())
        status, _, body = await world.ask(of_something)
        assert (status, code(body)) == (411, "MissingContentLength")
        head = head[:-2] + b"Transfer-Encoding: chunked\r\n\r\n"
        status, _, body = await world.ask(head, b"3\r\nabc\r\n0\r\n\r\n")
        assert (status, code(body)) == (501, "NotImplemented")
        assert b"<Header>Transfer-Encoding</Header>" in body

    run(scenario)


def test_a_large_document_is_read_whole_and_its_hash_compared(run):
    async def scenario(world):
        keys = "".join(f"<Object><Key>{n:0200}</Key></Object>" for n in range(1000))
        document = f"<Delete>{keys}</Delete>".encode()
        assert len(document) > 200_000
        path = "/bucket?delete"
        hashed = sha256(document).hexdigest()
        status, _, body = await world.put(document, hashed, path=path, method="POST")
        assert (status, body.count(b"<Deleted>")) == (200, 1000)
        status, _, body = await world.put(document.replace(b"999", b"998"), hashed, path=path, method="POST")
        assert (status, code(body)) == (400, "XAmzContentSHA256Mismatch")

    run(scenario)


def test_another_services_body_is_hashed_by_us_however_it_came(run):
    async def scenario(world):
        wanted = b"Action=GetCallerIdentity&Version=2011-06-15&x=" + b"y" * 70_000
        head, _ = signed(
            "POST", "/", {"Content-Length": str(len(wanted))}, sha256(wanted).hexdigest(), service="sts"
        )
        # Dressed up as S3's, so that it is streamed.
        head = head.replace(b", SignedHeaders", b", X=/s3/aws4_request, SignedHeaders")
        assert (await world.ask(head, wanted))[0] == 200
        assert code((await world.ask(head, wanted.replace(b"yy", b"zz", 1)))[2]) == "SignatureDoesNotMatch"

    run(scenario)


def test_an_object_is_sent_while_it_is_read(run):
    async def scenario(world):
        world.objects.kept["key"] = CONTENT
        get = signed("GET", "/bucket/key", {}, "UNSIGNED-PAYLOAD")[0]
        status, headers, body = await world.ask(get)
        assert (status, body, headers["content-type"]) == (200, CONTENT, "text/x-test")
        assert re.fullmatch("[0-9A-Z]{16}", headers["x-amz-request-id"])
        assert len(headers["x-amz-id-2"]) == 76
        status, headers, body = await world.ask(
            signed("GET", "/bucket/key", {"Range": "bytes=0-4"}, "UNSIGNED-PAYLOAD")[0]
        )
        assert (status, body, headers["content-range"]) == (206, CONTENT[:5], f"bytes 0-4/{len(CONTENT)}")
        status, headers, _ = await world.ask(
            signed("HEAD", "/bucket/key", {}, "UNSIGNED-PAYLOAD")[0], method="HEAD"
        )
        assert (status, headers["content-length"]) == (200, str(len(CONTENT)))
        assert world.objects.closed == 1

    run(scenario)


def test_a_presigned_url_carries_headers_in_its_query(run):
    async def scenario(world):
        request = AWSRequest(
            "PUT", "http://127.0.0.1:4566/bucket/k?x-amz-meta-who=me", headers={"Host": "127.0.0.1:4566"}
        )
        S3SigV4QueryAuth(Credentials(KEY, SECRET), "s3", "us-east-1", expires=60).add_auth(request)
        path = request.url.partition("4566")[2]
        head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:4566\r\nContent-Length: {SIZE}\r\n\r\n".encode()
        assert (await world.ask(head, CONTENT))[0] == 200
        assert (world.objects.kept, world.objects.metadata) == ({"k": CONTENT}, {"who": "me"})
        status, _, body = await world.ask(head.replace(b"who=me", b"who=us"), CONTENT)
        assert (status, code(body)) == (403, "SignatureDoesNotMatch")

    run(scenario)


def test_an_error_names_its_request_and_host_and_head_shows_the_status_alone(run):
    async def scenario(world):
        status, headers, body = await world.ask(signed("GET", "/bucket/none", {}, "UNSIGNED-PAYLOAD")[0])
        assert (status, code(body)) == (404, "NoSuchKey")
        assert f"<RequestId>{headers['x-amz-request-id']}</RequestId>".encode() in body
        assert f"<HostId>{headers['x-amz-id-2']}</HostId>".encode() in body
        reader, writer = await world.connect()
        writer.write(signed("HEAD", "/bucket/none", {}, "UNSIGNED-PAYLOAD")[0])
        assert (await answer(reader, "HEAD"))[0] == 404
        writer.close()
        assert await reader.read() == b""

    run(scenario)


def test_a_key_is_utf_8_and_taken_as_it_is(run):
    async def scenario(world):
        world.objects.kept["ü/../x"] = CONTENT
        for path in ("/bucket/%C3%BC/../x", "/bucket/%c3%bc%2F..%2Fx"):
            asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
            assert (await world.ask(asked))[0] == 200, path
        status, _, body = await world.ask(b"GET /bucket/%FF HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (status, code(body)) == (400, "InvalidURI")

    run(scenario)


def test_only_who_signed_may_say_what_headers_the_answer_has(run):
    async def scenario(world):
        world.objects.kept["key"] = CONTENT
        asked = b"GET /bucket/key?response-content-type=text/html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        status, _, body = await world.ask(asked)
        assert (status, code(body)) == (400, "InvalidRequest")
        assert (await world.ask(asked.replace(b"?response-content-type=text/html", b"")))[0] == 200

    run(scenario)
