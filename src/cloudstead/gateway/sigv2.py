"""Version 2, S3's first signature: in the URLs that `aws s3 presign` and boto3 still write, and in old clients' headers.

What is signed is the resource in path style, whatever the host said, and all x-amz- headers; of the body nothing but
its MD5, if that is told. In a URL every x-amz- parameter stands for the header of that name.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import compare_digest
from hmac import digest as hmac_digest
from re import compile as pattern
from urllib.parse import parse_qsl

from cloudstead.gateway.claim import Claim, Signed, iso_basic
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
_SECONDS = pattern(r"\d{1,11}")
_DATE = "x-amz-date"  # in the place of Date, and signed as every x-amz- header is
_SCHEME = "AWS "
_HEADER = pattern(r"AWS +([^:\s]+):(\S+)")


def read_old_claim(request: Signed) -> Claim | None:
    """The claim of a request that is signed by version 2; None if it is not. Raises Refused."""
    authorization = request.headers.get("authorization", "").strip()
    if authorization.startswith(_SCHEME):
        return _of_header(authorization, request.headers)
    if not authorization and "AWSAccessKeyId=" in request.query:
        return _of_url(request)
    return None


def _of_header(authorization: str, headers: Mapping[str, str]) -> Claim:
    found = _HEADER.fullmatch(authorization)
    if found is None:
        text = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"
        raise Refused("mechanism", text, ArgumentName="Authorization", ArgumentValue=authorization)
    signed_at = iso_basic(headers[_DATE] if _DATE in headers else headers.get("date", ""))
    if not signed_at:
        raise Refused("date")
    claim = Claim(found[1], "", "", "s3", "", found[2], signed_at, headers.get("x-amz-security-token"))
    claim.version = 2
    return claim


def _of_url(request: Signed) -> Claim | None:
    found = dict(_parameters(request.query))
    if not {"AWSAccessKeyId", "Signature", "Expires"} <= found.keys() or "SignatureVersion" in found:
        return None
    if not _SECONDS.fullmatch(found["Expires"]):
        raise Refused("expired", "Invalid date (should be seconds since epoch): " + found["Expires"])
    claim = Claim(found["AWSAccessKeyId"], "", "", "s3", "", found["Signature"], found["Expires"])
    claim.token = found.get("x-amz-security-token") or request.headers.get("x-amz-security-token")
    claim.presigned, claim.version = True, 2
    return claim


def check(request: Signed, claim: Claim, secret: str, path: str) -> None:
    """Raise Refused unless the holder of `secret` signed this. `path` is in path style."""
    said = claim.signature.encode("latin-1")
    for text in [_to_sign(request, claim, one) for one in _spellings(path)]:
        computed = b64encode(hmac_digest(secret.encode(), text.encode("latin-1"), "sha1"))
        if compare_digest(computed, said):
            return
    facts = {"AWSAccessKeyId": claim.access_key_id, "StringToSign": text}
    raise Refused("mismatch", SignatureProvided=claim.signature, **facts)


def _spellings(path: str) -> list[str]:
    """A bucket is signed as its URL has it, or with a slash that the URL lacks: botocore does so."""
    bucket, _, key = path.removeprefix("/").partition("/")
    return [f"/{bucket}", f"/{bucket}/"] if bucket and not key else [path]


def check_not_over(claim: Claim, now: datetime) -> None:
    """Raise Refused if a URL's time is over."""
    expires = datetime.fromtimestamp(int(claim.signed_at), UTC)
    if expires < now:
        facts = {
            "Expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "ServerTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        raise Refused("expired", **facts)


def _to_sign(request: Signed, claim: Claim, path: str) -> str:
    headers = request.headers
    if claim.presigned:
        parameters = _parameters(request.query)
        headers = {**headers, **{name: value for name, value in parameters if _stands_for_header(name)}}
        moment = claim.signed_at
    else:
        moment = "" if _DATE in headers else headers.get("date", "")
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), moment]
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
