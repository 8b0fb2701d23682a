"""The plain requests for one object, which are nearly all that S3 ever gets, on a way of their own.

What the chain does in ten steps for every protocol and operation is done here at once for four operations, signed
in a header, in path style or by host name. The one thing a reader would get wrong: nothing is decided here. The
operation is the chain's own, and whatever is not plain, not proven or fails is None: then the chain takes the
request from its start and says what is to be said. A test holds both ways against each other.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cloudstead.core.caller import Authorizer, Caller
from cloudstead.core.errors import ServiceError
from cloudstead.core.streams import HttpFacts
from cloudstead.core.tools import Tools
from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.gateway.begun import Begun
from cloudstead.gateway.buckets import Buckets
from cloudstead.gateway.internal import Internal
from cloudstead.gateway.route import CONTROL_PREFIX, read_host
from cloudstead.gateway.sigv4 import Verifier
from cloudstead.gateway.wire.serialize.quick import HeadWriter

Operation = Callable[[Caller, dict[str, Any]], Any]
#: What a request comes to: answered, to be awaited, or not for this way.
Taken = HttpResponse | Awaitable[HttpResponse | None] | None

# Keys that need no decoding; one with an empty or a dot segment is S3's as it is, but has its own pitfalls. A slash
# stands between segments and cannot be left out: so a key matches in one way only, and one that does not is soon known.
_SEGMENT = "[A-Za-z0-9_~-][A-Za-z0-9_.~-]*"
_KEY = f"{_SEGMENT}(?:/{_SEGMENT})*/?"
_IN_PATH_STYLE = re.compile(rf"/([a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])/({_KEY})")
_BY_HOST = re.compile(rf"/({_KEY})")
#: What begins so is not S3's, whichever bucket the host names.
_OF_OTHERS = (Internal.PREFIX, CONTROL_PREFIX)
#: Headers that no operation looks at, or that have been looked at when it is called.
_MEANINGLESS = frozenset(
    (
        "accept",
        "accept-encoding",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
        "authorization",
        "connection",
        "content-length",
        "date",
        "expect",
        "host",
        "user-agent",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-user-agent",
    )
)
_OF_READS = {"range": "Range", "x-amz-checksum-mode": "ChecksumMode"}
_OF_WRITES = {
    "content-type": "ContentType",
    "content-md5": "ContentMD5",
    "x-amz-sdk-checksum-algorithm": "ChecksumAlgorithm",
    "x-amz-checksum-crc32": "ChecksumCRC32",
    "x-amz-checksum-crc32c": "ChecksumCRC32C",
    "x-amz-checksum-crc64nvme": "ChecksumCRC64NVME",
    "x-amz-checksum-sha1": "ChecksumSHA1",
    "x-amz-checksum-sha256": "ChecksumSHA256",
}
_OPERATIONS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
_MEMBERS: Mapping[str, Mapping[str, str]] = {
    "GetObject": _OF_READS,
    "HeadObject": _OF_READS,
    "PutObject": _OF_WRITES,
    "DeleteObject": {},
}
_METADATA = "x-amz-meta-"
_STATUS = {"GET": 200, "HEAD": 200, "PUT": 200, "DELETE": 204}


@dataclass(frozen=True, slots=True)
class _Way:
    """What is taken for one method."""

    operation: Operation
    name: str
    writer: HeadWriter
    status: int
    writes: bool


class Quick:
    def __init__(
        self,
        operations: Mapping[str, Mapping[str, Operation]],
        verifier: Verifier,
        authorizer: Authorizer,
        buckets: Buckets,
        *,
        tools: Tools,
    ) -> None:
        """`operations` by service and name; S3's are taken."""
        self._verifier = verifier
        self._authorizer = authorizer
        self._buckets = buckets
        self._tools = tools
        self._operations = operations
        self._ways: dict[str, _Way] = {}  # made at the first request: the model is loaded then

    def take(self, http: HttpRequest) -> Taken:
        """The answer, or an awaitable of it, where the request is plain and all is well; None otherwise."""
        headers = http.headers
        authorization = headers.get("authorization")
        if authorization is None or http.query or http.stream is not None or http.method not in _OPERATIONS:
            return None
        way = self._ways.get(http.method) or self._way(http.method)
        found = _named(http)
        if way is None or found is None:
            return None
        request = _request(way, http)
        if request is None:
            return None
        usual = self._verifier.verify_usual(http, authorization)
        if usual is None or self._buckets.is_logged(found[0]):
            return None
        credential, region = usual
        request["Bucket"], request["Key"] = found
        request_id = f"{self._tools.random.getrandbits(64):016X}"
        request["_Http"] = HttpFacts(
            http.method,
            headers["host"],
            headers,
            http.peer,
            http.scheme == "https",
            False,
            self._tools.clock.now(),
        )
        caller = Caller(
            account=credential.account,
            region=region,
            arn=credential.arn,
            user_id=credential.user_id,
            principal=credential.principal,
            access_key_id=credential.access_key_id,
            request_id=request_id,
            source_ip=http.peer,
            endpoint=f"{http.scheme}://{headers['host']}",
        )
        try:
            self._authorizer.authorize(caller, "s3", way.name, request)
            result = way.operation(caller, request)
            if isinstance(result, Mapping):
                return way.writer.response(way.status, result, request_id)
            begun: Begun[Mapping[str, Any]] = Begun(result)
            if begun.done:
                return way.writer.response(way.status, begun.value, request_id)
        except ServiceError:
            return None
        return _later(way, begun, request_id)

    def _way(self, method: str) -> _Way | None:
        name = _OPERATIONS[method]
        operation = self._operations["s3"].get(name)
        if operation is None:
            return None
        made = _Way(operation, name, HeadWriter("s3", name), _STATUS[method], method == "PUT")
        self._ways[method] = made
        return made


async def _later(way: _Way, begun: Begun[Mapping[str, Any]], request_id: str) -> HttpResponse | None:
    try:
        result = await begun
    except ServiceError:
        return None
    return way.writer.response(way.status, result, request_id)


def _named(http: HttpRequest) -> tuple[str, str] | None:
    """The bucket and the key."""
    host = read_host(http.headers.get("host", ""))
    if host.website or host.service not in ("", "s3") or http.path.startswith(_OF_OTHERS):
        return None
    if host.bucket:
        match = _BY_HOST.fullmatch(http.path)
        return (host.bucket, match[1]) if match is not None else None
    match = _IN_PATH_STYLE.fullmatch(http.path)
    return (match[1], match[2]) if match is not None else None


def _request(way: _Way, http: HttpRequest) -> dict[str, Any] | None:
    """What the headers ask for; None if they ask for something that is not plain."""
    headers = http.headers
    found = _meaning(way.name, tuple(headers))
    if found is None or (http.body and not way.writes):
        return None
    members, metadata = found
    request: dict[str, Any] = {member: headers[header] for header, member in members}
    if way.writes:
        request["Body"] = http.body
        if metadata:
            request["Metadata"] = {name: headers[header] for header, name in metadata}
    return request


@lru_cache(maxsize=1024)  # a client sends the same headers again and again
def _meaning(
    operation: str, headers: tuple[str, ...]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]] | None:
    """Which headers stand for which members, and which for what metadata; None if one is not plain."""
    known = _MEMBERS[operation]
    rest = [header for header in headers if header not in _MEANINGLESS]
    members = [(header, known[header]) for header in rest if header in known]
    metadata = [(header, header.removeprefix(_METADATA)) for header in rest if header.startswith(_METADATA)]
    writes = operation == "PutObject"
    if len(members) + (len(metadata) if writes else 0) < len(rest):
        return None
    return None if writes and "content-length" not in headers else (members, metadata)
