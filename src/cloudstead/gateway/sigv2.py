"""URLs that were presigned by version 2, S3's first signature: what `aws s3 presign` and boto3 still write by default.

Only such URLs: who signs a request anew can do it by version 4. What is signed is the resource in path style,
whatever the host said, and every x-amz- parameter stands for the header of that name.
"""

from base64 import b64encode
from datetime import UTC, datetime
from hmac import compare_digest
from hmac import digest as hmac_digest
from re import compile as pattern
from urllib.parse import parse_qsl

from cloudstead.gateway.claim import Claim, Signed
from cloudstead.gateway.refusals import Refused

#: The parameters that name what is asked for, rather than how: only these are part of the resource.
_RESOURCE = frozenset(
    {
        "accelerate",
        "acl",
        "analytics",
        "cors",
        "defaultObjectAcl",
        "delete",
        "inventory",
        "lifecycle",
        "location",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "partNumber",
        "policy",
        "replication",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "select",
        "select-type",
        "storageClass",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    }
)
_SECONDS = pattern(r"\d{1,12}")


def read_presigned(request: Signed) -> Claim | None:
    """The claim of such a URL; None if it is none. Raises Refused."""
    found = dict(_parameters(request.query))
    if not {"AWSAccessKeyId", "Signature", "Expires"} <= found.keys() or "SignatureVersion" in found:
        return None
    if not _SECONDS.fullmatch(found["Expires"]):
        raise Refused("expired", "Invalid date (should be seconds since epoch): " + found["Expires"])
    claim = Claim(found["AWSAccessKeyId"], "", "", "s3", "", found["Signature"], found["Expires"])
    claim.token = found.get("x-amz-security-token") or request.headers.get("x-amz-security-token")
    claim.presigned, claim.version = True, 2
    return claim


def check(request: Signed, claim: Claim, secret: str, path: str, now: datetime) -> None:
    """Raise Refused unless the holder of `secret` signed this, and for now. `path` is in path style."""
    expires = datetime.fromtimestamp(int(claim.signed_at), UTC)
    if expires < now:
        facts = {
            "Expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ServerTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        raise Refused("expired", **facts)
    text = to_sign(request, claim.signed_at, path)
    computed = b64encode(hmac_digest(secret.encode(), text.encode("latin-1"), "sha1")).decode()
    if not compare_digest(computed.encode(), claim.signature.encode("latin-1")):
        facts = {"AWSAccessKeyId": claim.access_key_id, "StringToSign": text}
        raise Refused("mismatch", SignatureProvided=claim.signature, **facts)


def to_sign(request: Signed, expires: str, path: str) -> str:
    parameters = _parameters(request.query)
    headers = {**request.headers, **{name: value for name, value in parameters if _stands_for_header(name)}}
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), expires]
    lines += [f"{name}:{headers[name].strip()}" for name in sorted(headers) if name.startswith("x-amz-")]
    return "\n".join([*lines, path + _resource(request.query)])


def _resource(query: str) -> str:
    parts = sorted((part.partition("=") for part in query.split("&")), key=lambda part: part[0])
    named = [(name, equals, value) for name, equals, value in parts if name in _RESOURCE]
    told = [f"{name}{equals}{dict(_parameters(f'{name}={value}'))[name]}" for name, equals, value in named]
    return "?" + "&".join(told) if told else ""


def _stands_for_header(name: str) -> bool:
    return name.startswith("x-amz-") or name in ("content-md5", "content-type")


def _parameters(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, encoding="latin-1")
