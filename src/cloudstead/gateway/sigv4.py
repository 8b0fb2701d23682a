"""AWS Signature Version 4, checked: is this request what the holder of the key signed, and when?

The one thing a reader would get wrong: the body of an S3 request is signed by what `x-amz-content-sha256`
says. When it says STREAMING-… or UNSIGNED-PAYLOAD, the proof covers the headers alone, and `Proof.payload`
tells whoever reads the body what is left to check.
"""

from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest
from re import compile as pattern

from cloudstead.core.caller import Credential, Credentials
from cloudstead.core.clock import Clock
from cloudstead.gateway import sigv2
from cloudstead.gateway.canonical import canonical_path, canonical_query, canonical_request, header_value
from cloudstead.gateway.claim import ALGORITHM, SIGNED_AT, USUAL_HEADER, Claim, Signed
from cloudstead.gateway.refusals import Refused

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMING = "STREAMING-"

# What services are seen to say: "… earlier than … (… - 15 min.)", "… still later than … (… + 5 min.)".
_LATE_MAX = timedelta(minutes=15)
_EARLY_MAX = timedelta(minutes=5)
_S3_SKEW_MAX = timedelta(minutes=15)
_EPOCH = datetime.fromtimestamp(0, UTC)
_S3_SERVICES = frozenset({"s3", "s3express", "s3-outposts"})
_STREAMING_PAYLOADS = frozenset(
    {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    }
)
_SHA256_HEX = pattern(r"[0-9a-f]{64}")
_REGION = pattern(r"[a-z]{2,}(?:-[a-z0-9]+)*-\d{1,2}")


_SHA256_OF_NOTHING = sha256(b"").hexdigest()


@dataclass(slots=True)
class Proof:
    """The request was signed by the holder of `credential`. `payload` is what the signature says of the body."""

    credential: Credential
    claim: Claim
    payload: str
    signing_key: bytes


class Verifier:
    """Checks claims against the known credentials. Pure but for the clock and the credentials it looks up."""

    def __init__(self, credentials: Credentials, clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock

    def verify(self, request: Signed, claim: Claim, *, body_sha256: str | None = None) -> Proof:
        """Prove the claim. Raises Refused.

        `body_sha256` is given if the caller has hashed the body, or will check it later itself.
        """
        s3 = claim.service in _S3_SERVICES
        if not s3:
            _check_scope(claim)
        credential = self._credential(claim)
        self._check_time(claim, s3=s3)
        if s3:
            _check_scope(claim)  # who and when come first: AccessDenied or too late, whatever else is wrong
            payload = _s3_payload(request, claim)
            _check_all_signed(request, claim)
        else:
            payload = body_sha256 or sha256(request.body).hexdigest()
        key = signing_key(credential.secret_access_key, claim.date, claim.region, claim.service)
        signature, canonical, to_sign = sign(request, claim, key, payload, s3=s3)
        if not compare_digest(signature.encode(), claim.signature.encode("latin-1")):
            raise _mismatch(claim, canonical, to_sign)
        if s3 and _SHA256_HEX.fullmatch(payload):
            _check_body(request, payload, body_sha256)
        return Proof(credential, claim, payload, key)

    def verify_usual(self, request: Signed, authorization: str) -> tuple[Credential, str] | None:
        """Whose signature a plain request to S3 has, and for which region; None if `verify` must look closer.

        Plain: signed in a header as all SDKs do it, by a lasting key, its path needing no encoding and its query empty.
        """
        usual = USUAL_HEADER.fullmatch(authorization)
        headers = request.headers
        signed_at, payload = headers.get("x-amz-date", ""), headers.get("x-amz-content-sha256", "")
        if usual is None or not SIGNED_AT.fullmatch(signed_at):
            return None
        key_id, date, region, service, signed, signature = usual.groups()
        credential = self._credentials.find(key_id)
        if (
            credential is None
            or not credential.active
            or credential.session_token is not None
            or credential.expires_at is not None
            or service != "s3"
            or not signed_at.startswith(date)
            or not _is_region(region)
            or abs(self._clock.now() - _moment(signed_at)) > _S3_SKEW_MAX
        ):
            return None
        if not _covers(signed, tuple(headers)):
            return None
        lines = "".join([f"{name}:{header_value(headers.get(name, ''))}\n" for name in signed.split(";")])
        canonical = f"{request.method}\n{request.path}\n\n{lines}\n{signed}\n{payload}"
        digest = sha256(canonical.encode("latin-1")).hexdigest()
        to_sign = f"{ALGORITHM}\n{signed_at}\n{date}/{region}/s3/aws4_request\n{digest}"
        key = signing_key(credential.secret_access_key, date, region, "s3")
        if not compare_digest(hmac_digest(key, to_sign.encode("latin-1"), "sha256").hex(), signature):
            return None
        if payload == UNSIGNED_PAYLOAD:
            return credential, region
        computed = sha256(request.body).hexdigest() if request.body else _SHA256_OF_NOTHING
        return (credential, region) if computed == payload else None

    def verify_version_2(self, request: Signed, claim: Claim, path: str) -> Proof:
        """Prove the claim of a URL or a header that is signed by version 2. Raises Refused."""
        credential = self._credential(claim)
        if claim.presigned:
            sigv2.check_not_over(claim, self._clock.now())
        else:
            self._check_time(claim, s3=True)
        sigv2.check(request, claim, credential.secret_access_key, path)
        return Proof(credential, claim, UNSIGNED_PAYLOAD, b"")

    def verify_policy(self, claim: Claim, policy: str, *, version: int) -> Proof:
        """Prove that a form's policy was signed, by version 4 or 2. Its time is the policy's own. Raises Refused."""
        credential = self._credential(claim)
        text = policy.encode()
        if version == 4:
            key = signing_key(credential.secret_access_key, claim.date, claim.region, claim.service)
            computed = hmac_digest(key, text, "sha256").hex()
        else:
            key = credential.secret_access_key.encode()
            computed = b64encode(hmac_digest(key, text, "sha1")).decode()
        if not compare_digest(computed.encode(), claim.signature.encode()):
            facts = {"AWSAccessKeyId": claim.access_key_id, "StringToSign": policy}
            raise Refused("mismatch", SignatureProvided=claim.signature, **facts)
        return Proof(credential, claim, UNSIGNED_PAYLOAD, key)

    def _credential(self, claim: Claim) -> Credential:
        found = self._credentials.find(claim.access_key_id)
        if found is None or not found.active:
            raise Refused("unknown-key", AWSAccessKeyId=claim.access_key_id)
        if claim.token is not None or found.session_token is not None:
            given, wanted = claim.token or "", found.session_token or ""
            if not compare_digest(given.encode("latin-1"), wanted.encode("latin-1")):
                raise Refused("token", **{"Token-0": given})
        if found.expires_at is not None and found.expires_at <= self._clock.now():
            raise Refused("token-expired", **{"Token-0": claim.token or ""})
        return found

    def _check_time(self, claim: Claim, *, s3: bool) -> None:
        now = self._clock.now()
        signed_at = _moment(claim.signed_at)
        if s3 and claim.presigned:
            _check_s3_url(claim, signed_at, now)
        elif s3:
            if signed_at < _EPOCH:
                raise Refused("date")
            if abs(now - signed_at) > _S3_SKEW_MAX:
                raise Refused(
                    "skewed",
                    RequestTime=claim.signed_at,
                    ServerTime=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    MaxAllowedSkewMilliseconds=str(_S3_SKEW_MAX // timedelta(milliseconds=1)),
                )
        elif signed_at > now + _EARLY_MAX:
            raise Refused(
                "skewed",
                f"Signature not yet current: {claim.signed_at} is still later than "
                f"{_basic(now + _EARLY_MAX)} ({_basic(now)} + 5 min.)",
            )
        elif signed_at + max(_LATE_MAX, timedelta(seconds=claim.expires_s or 0)) < now:
            # A presigned URL of these services lives as long as a signed request, or longer if it says so.
            raise Refused(
                "skewed",
                f"Signature expired: {claim.signed_at} is now earlier than "
                f"{_basic(now - _LATE_MAX)} ({_basic(now)} - 15 min.)",
            )


def _check_s3_url(claim: Claim, signed_at: datetime, now: datetime) -> None:
    assert claim.expires_s is not None
    if signed_at > now + _S3_SKEW_MAX:
        raise Refused("expired", "Request is not yet valid")
    expires = signed_at + timedelta(seconds=claim.expires_s)
    if expires < now:
        raise Refused(
            "expired",
            **{
                "X-Amz-Expires": str(claim.expires_s),
                "Expires": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "ServerTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        )


def _check_scope(claim: Claim) -> None:
    if claim.date != claim.signed_at[:8]:
        raise Refused(
            "scope",
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{claim.date}' != '{claim.signed_at[:8]}', from '{claim.signed_at}'.",
        )
    if not _REGION.fullmatch(claim.region):
        raise Refused("scope", f"Credential should be scoped to a valid region, not '{claim.region}'.")
    if "host" not in claim.signed_headers.split(";"):
        raise Refused(
            "incomplete", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )


def _s3_payload(request: Signed, claim: Claim) -> str:
    """What the signer of an S3 request says of its body."""
    said = request.headers.get("x-amz-content-sha256")
    if said is None:
        if claim.presigned:
            return UNSIGNED_PAYLOAD
        raise Refused("payload-header")
    if said == UNSIGNED_PAYLOAD or said in _STREAMING_PAYLOADS or _SHA256_HEX.fullmatch(said):
        return said
    raise Refused(
        "payload-header",
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
        "or a valid sha256 value.",
    )


def _check_all_signed(request: Signed, claim: Claim) -> None:
    """S3 believes no x-amz- header that the signature does not cover: they carry ACLs, metadata, checksums."""
    signed = claim.signed_headers.split(";")
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in signed]
    if claim.presigned and "x-amz-content-sha256" in unsigned:
        unsigned.remove("x-amz-content-sha256")  # it is covered as the payload's line
    if unsigned:
        raise Refused("unsigned-headers", HeadersNotSigned=", ".join(unsigned))


def _check_body(request: Signed, said: str, body_sha256: str | None) -> None:
    computed = body_sha256 or sha256(request.body).hexdigest()
    if computed != said:
        raise Refused("payload", ClientComputedContentSHA256=said, S3ComputedContentSHA256=computed)


def sign(request: Signed, claim: Claim, key: bytes, payload: str, *, s3: bool) -> tuple[str, str, str]:
    """The signature that the claim should have, with the canonical request and the string that was signed."""
    canonical = canonical_request(
        request.method,
        canonical_path(request.path, s3=s3),
        canonical_query(request.query, without="X-Amz-Signature" if claim.presigned else ""),
        request.headers,
        claim.signed_headers,
        payload,
    )
    digest = sha256(canonical.encode("latin-1")).hexdigest()
    to_sign = f"{ALGORITHM}\n{claim.signed_at}\n{claim.scope}\n{digest}"
    return hmac_digest(key, to_sign.encode("latin-1"), "sha256").hex(), canonical, to_sign


@lru_cache(maxsize=4096)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac_digest(key, part.encode("latin-1"), "sha256")
    return key


@lru_cache(maxsize=256)
def _is_region(text: str) -> bool:
    return _REGION.fullmatch(text) is not None


@lru_cache(maxsize=1024)  # a client sends the same headers again and again
def _covers(signed_headers: str, names: tuple[str, ...]) -> bool:
    """Whether the host and every x-amz- header is signed."""
    signed = signed_headers.split(";")
    return "host" in signed and all(name in signed for name in names if name.startswith("x-amz-"))


@lru_cache(maxsize=256)
def _moment(signed_at: str) -> datetime:
    try:
        return datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as e:
        raise Refused("date", f"Date must be in ISO-8601 'basic format'. Got '{signed_at}'.") from e


def _basic(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def _mismatch(claim: Claim, canonical: str, to_sign: str) -> Refused:
    told = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
        "Access Key and signing method. Consult the service documentation for details."
        f"\n\nThe Canonical String for this request should have been\n'{canonical}'"
        f"\n\nThe String-to-Sign should have been\n'{to_sign}'\n"
    )
    return Refused(
        "mismatch",
        told,
        AWSAccessKeyId=claim.access_key_id,
        StringToSign=to_sign,
        SignatureProvided=claim.signature,
        StringToSignBytes=to_sign.encode("latin-1").hex(" "),
        CanonicalRequest=canonical,
        CanonicalRequestBytes=canonical.encode("latin-1").hex(" "),
    )
