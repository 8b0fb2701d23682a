"""Signatures against botocore as the oracle, and against whoever changes a signed request."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import assume, given
from hypothesis import strategies as st

from cloudstead.core.caller import Credential
from cloudstead.core.clock import ManualClock
from cloudstead.gateway.canonical import canonical_path, canonical_query, header_value, normalized_path
from cloudstead.gateway.claim import read_claim
from cloudstead.gateway.refusals import WORDINGS, Refused, as_error
from cloudstead.gateway.sigv4 import Proof, Verifier

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
BOTO = BotoCredentials(KEY, SECRET)
BOTO_TEMPORARY = BotoCredentials("ASIATEMPORARY0000000", SECRET, "a/token+with=signs")


def credential(key: str = KEY, **changes: Any) -> Credential:
    told = {
        "access_key_id": key,
        "secret_access_key": SECRET,
        "account": "123456789012",
        "arn": "arn:aws:iam::123456789012:root",
        "user_id": "123456789012",
        "principal": "root",
    }
    return Credential(**{**told, **changes})


class Keys:
    def __init__(self, *credentials: Credential) -> None:
        self._by_id = {one.access_key_id: one for one in credentials}

    def find(self, access_key_id: str) -> Credential | None:
        return self._by_id.get(access_key_id)


KEYS = Keys(
    credential(),
    credential("AKIAINACTIVE00000000", active=False),
    credential(
        "ASIATEMPORARY0000000", session_token="a/token+with=signs", expires_at=NOW + timedelta(hours=1)
    ),
)


@dataclass
class Request:
    """As the HTTP server hands it on: latin-1 text, lower-case names."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def verify(request: Request, at: datetime = NOW) -> Proof:
    claim = read_claim(request)
    assert claim is not None
    return Verifier(KEYS, ManualClock(at)).verify(request, claim)


def reason(request: Request, at: datetime = NOW) -> str:
    with pytest.raises(Refused) as caught:
        verify(request, at)
    return caught.value.reason


def signed(signer: Any, request: AWSRequest, at: datetime = NOW) -> Request:
    """What botocore would send, after it went over the wire."""
    with mock.patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        signer.add_auth(request)
    sent = request.prepare()
    parts = urlsplit(sent.url)
    headers = {"host": parts.netloc}
    for name, value in sent.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        headers[name.lower()] = text.strip()
    body = sent.body or b""
    return Request(
        sent.method, parts.path or "/", parts.query, headers, body.encode() if isinstance(body, str) else body
    )


def by_header(
    request: AWSRequest, service: str = "sts", boto: BotoCredentials = BOTO, at: datetime = NOW
) -> Request:
    return signed(botocore.auth.SigV4Auth(boto, service, "eu-west-1"), request, at)


def by_s3_header(request: AWSRequest, boto: BotoCredentials = BOTO) -> Request:
    return signed(botocore.auth.S3SigV4Auth(boto, "s3", "eu-west-1"), request)


def by_url(
    request: AWSRequest, expires_s: int = 3600, boto: BotoCredentials = BOTO, at: datetime = NOW
) -> Request:
    return signed(botocore.auth.SigV4QueryAuth(boto, "sts", "eu-west-1", expires=expires_s), request, at)


def by_s3_url(request: AWSRequest, expires_s: int = 3600, boto: BotoCredentials = BOTO) -> Request:
    return signed(botocore.auth.S3SigV4QueryAuth(boto, "s3", "eu-west-1", expires=expires_s), request)


def aws(method: str = "POST", url: str = "http://here:4566/", **more: Any) -> AWSRequest:
    return AWSRequest(method, url, **more)


# -- botocore as the oracle

ASCII = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SEGMENTS = st.lists(TEXT, max_size=5)
PAIRS = st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=5)
HEADERS = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True).map(lambda name: "X-Amz-" + name),
    ASCII,
    max_size=4,
)


def url_of(segments: list[str], pairs: list[tuple[str, str]]) -> str:
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    path = "/" + "/".join(quote(segment, safe="-_.~") for segment in segments)
    return f"http://here:4566{path}" + (f"?{query}" if query else "")


METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"])


@pytest.mark.parametrize("sign", [by_header, by_s3_header, by_url, by_s3_url])
@given(segments=SEGMENTS, pairs=PAIRS, headers=HEADERS, body=st.binary(max_size=50), method=METHODS)
def test_what_botocore_signs_is_believed(sign, segments, pairs, headers, body, method):
    names = {name.lower() for name in headers}
    assume(len(names) == len(headers) and not names & RESERVED)
    assume(not any(name.startswith("X-Amz-") for name, _ in pairs))
    if sign in (by_url, by_s3_url):
        headers, body = {}, b""  # what a URL does not carry is not signed by it
    request = sign(AWSRequest(method, url_of(segments, pairs), data=body, headers=headers))
    assert verify(request).credential.account == "123456789012"


RESERVED = {"x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}


@pytest.mark.parametrize("sign", [by_header, by_s3_header, by_url, by_s3_url])
def test_a_session_token_is_part_of_it(sign):
    request = sign(aws("GET"), boto=BOTO_TEMPORARY)
    assert verify(request).credential.access_key_id == "ASIATEMPORARY0000000"


@given(TEXT, TEXT)
def test_query_names_and_values_mean_the_same_however_they_are_encoded(name, value):
    assume(name)
    minimal = quote(name, safe="-_.~!'()*") + "=" + quote(value, safe="-_.~!'()*/:@")
    eager = (
        "".join(f"%{byte:02x}" for byte in name.encode())
        + "="
        + "".join(f"%{byte:02X}" for byte in value.encode())
    )
    assert canonical_query(minimal) == canonical_query(eager)


@given(SEGMENTS)
def test_an_s3_path_is_the_same_however_it_is_encoded(segments):
    lazy = "/" + "/".join(quote(segment, safe="-_.~!'()*:@$&+,;=") for segment in segments)
    eager = "/" + "/".join(quote(segment, safe="-_.~") for segment in segments)
    assert canonical_path(lazy, s3=True) == eager


@given(st.lists(st.sampled_from(["", ".", "..", "a", "b.c", "%2e"]), max_size=8))
def test_a_normalized_path_is_one_and_stays_so(segments):
    path = "/" + "/".join(segments)
    once = normalized_path(path)
    assert normalized_path(once) == once
    assert once.startswith("/")
    assert not {".", ".."} & set(once.split("/"))
    assert "//" not in once


@pytest.mark.parametrize(
    ("value", "canonical"),
    [("a", "a"), ("  a  b\t c ", "a b c"), ('"a   b"', '"a b"'), ("", ""), ("a,b", "a,b")],
)
def test_header_values_are_folded(value, canonical):
    assert header_value(value) == canonical


# -- tampering

CHANGES: dict[str, Callable[[Request], None]] = {
    "method": lambda r: setattr(r, "method", "PUT" if r.method != "PUT" else "GET"),
    "path": lambda r: setattr(r, "path", r.path + "x"),
    "path, encoded slash": lambda r: setattr(r, "path", r.path.replace("/b", "%2Fb")),
    "query added": lambda r: setattr(r, "query", r.query + "&x=y"),
    "query value": lambda r: setattr(r, "query", r.query.replace("c=d", "c=e")),
    "query name": lambda r: setattr(r, "query", r.query.replace("c=d", "C=d")),
    "body": lambda r: setattr(r, "body", r.body + b"x"),
    "host": lambda r: r.headers.update(host="there"),
    "date": lambda r: r.headers.update({"x-amz-date": "20261124T140001Z"}),
    "header": lambda r: r.headers.update({"x-amz-target": "Other.Operation"}),
    "header dropped": lambda r: r.headers.pop("x-amz-target"),
    "token": lambda r: r.headers.update({"x-amz-security-token": "x"}),
    "signature": lambda r: _in_authorization(r, r.headers["authorization"][-8:], "00000000"),
    "region": lambda r: _in_authorization(r, "eu-west-1", "eu-west-2"),
    "service": lambda r: _in_authorization(
        r, "/sts/" if "/sts/" in r.headers["authorization"] else "/s3/", "/iam/"
    ),
    "key": lambda r: _in_authorization(r, KEY, "AKIAINACTIVE00000000"),
    "unknown key": lambda r: _in_authorization(r, KEY, "AKIAUNKNOWN000000000"),
    "signed headers": lambda r: _in_authorization(r, ";x-amz-target", ""),
    "host not signed": lambda r: _in_authorization(r, "host;", ""),
    "scope date": lambda r: _in_authorization(r, "/20261124/", "/20261123/"),
    "terminator": lambda r: _in_authorization(r, "aws4_request", "aws4_requests"),
    "upper-case signature": lambda r: _in_authorization(
        r, r.headers["authorization"][-64:], r.headers["authorization"][-64:].upper()
    ),
}


def _in_authorization(request: Request, old: str, new: str) -> None:
    before = request.headers["authorization"]
    request.headers["authorization"] = before.replace(old, new)
    assert request.headers["authorization"] != before


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("sign", [by_header, by_s3_header])
def test_no_part_can_be_changed(sign, change):
    request = sign(aws("POST", "http://here/a/b?c=d", data=b"body", headers={"X-Amz-Target": "A.B"}))
    verify(request)
    CHANGES[change](request)
    with pytest.raises(Refused):
        verify(request)


@pytest.mark.parametrize("sign", [by_url, by_s3_url])
@given(data=st.data())
def test_no_character_of_a_presigned_url_can_be_changed(sign, data):
    request = sign(aws("GET", "http://here/a/b?c=d"))
    at = data.draw(st.integers(0, len(request.query) - 1))
    by = data.draw(st.sampled_from("abcXYZ019-%&=+"))
    assume(request.query[at] != by)
    changed = replace(request, query=request.query[:at] + by + request.query[at + 1 :])
    # What is the same after decoding is not changed: the case of a percent-encoded byte, or where its name ends.
    assume(canonical_query(changed.query) != canonical_query(request.query))
    try:
        claim = read_claim(changed)
    except Refused:
        return
    if claim is not None:
        with pytest.raises(Refused):
            Verifier(KEYS, ManualClock(NOW)).verify(changed, claim)


def test_an_amz_header_that_is_not_signed_is_refused_by_s3():
    request = by_s3_header(aws("PUT", "http://here/b/k", data=b"x"))
    request.headers["x-amz-acl"] = "public-read"
    assert reason(request) == "unsigned-headers"


def test_a_repeated_header_counts_as_one_joined_value():
    one = by_header(aws(headers={"X-Amz-Meta": "a,b"}))
    assert verify(one)
    one.headers["x-amz-meta"] = "a,c"
    assert reason(one) == "mismatch"


# -- S3's payload


def test_the_payload_of_s3_is_what_its_header_says():
    request = by_s3_header(aws("PUT", "http://here/b/k", data=b"body"))
    request.body = b"other"
    assert reason(request) == "payload"
    del request.headers["x-amz-content-sha256"]
    assert reason(request) == "payload-header"


@pytest.mark.parametrize(
    "payload",
    [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    ],
)
def test_a_body_that_is_not_signed_as_a_whole(payload):
    unsigned = AWSRequest("PUT", "http://here/b/k", data=b"body")
    unsigned.context["payload_signing_enabled"] = False
    with mock.patch.object(botocore.auth.S3SigV4Auth, "payload", return_value=payload):
        request = by_s3_header(unsigned)
    assert verify(request).payload == payload
    request.headers["x-amz-content-sha256"] = (
        "UNSIGNED-PAYLOAD" if payload != "UNSIGNED-PAYLOAD" else "0" * 64
    )
    assert reason(request) == "mismatch"


def test_a_payload_of_another_kind_is_refused():
    request = by_s3_header(aws("PUT", "http://here/b/k"))
    request.headers["x-amz-content-sha256"] = "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"
    assert reason(request) == "payload-header"


def test_other_services_hash_the_body_whatever_the_header_says():
    request = by_header(aws(data=b"body", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}))
    request.body = b"other"
    assert reason(request) == "mismatch"


# -- time

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (-5 * MINUTE, ""),
        (15 * MINUTE, ""),
        (
            timedelta(minutes=15, seconds=1),
            "Signature expired: 20261124T140000Z is now earlier than 20261124T140001Z (20261124T141501Z - 15 min.)",
        ),
        (
            -timedelta(minutes=5, seconds=1),
            "Signature not yet current: 20261124T140000Z is still later than 20261124T135959Z (20261124T135459Z + 5 min.)",
        ),
    ],
)
def test_a_signature_lives_a_quarter_of_an_hour(after, message):
    request = by_header(aws())
    if not message:
        assert verify(request, NOW + after)
        return
    with pytest.raises(Refused) as caught:
        verify(request, NOW + after)
    assert (caught.value.reason, caught.value.message) == ("skewed", message)


@pytest.mark.parametrize(("after", "believed"), [(15, True), (-15, True), (15.1, False), (-15.1, False)])
def test_s3_takes_a_quarter_of_an_hour_either_way(after, believed):
    request = by_s3_header(aws("GET"))
    if believed:
        assert verify(request, NOW + after * MINUTE)
        return
    with pytest.raises(Refused) as caught:
        verify(request, NOW + after * MINUTE)
    error = as_error(caught.value, "s3")
    assert (error.code, error.status) == ("RequestTimeTooSkewed", 403)
    assert error.fields["RequestTime"] == "20261124T140000Z"
    assert error.fields["MaxAllowedSkewMilliseconds"] == "900000"


def test_a_presigned_url_of_s3_lives_as_long_as_it_says():
    url = by_s3_url(aws("GET", "http://here/b/k"), expires_s=60)
    assert verify(url, NOW + timedelta(seconds=60))
    with pytest.raises(Refused) as caught:
        verify(url, NOW + timedelta(seconds=61))
    error = as_error(caught.value, "s3")
    assert (error.code, error.status, error.message) == ("AccessDenied", 403, "Request has expired")
    assert error.fields["Expires"] == "2026-11-24T14:01:00Z"
    week = by_s3_url(aws("GET"), expires_s=604_800)
    assert verify(week, NOW + timedelta(days=6, hours=23))
    assert reason(week, NOW - timedelta(hours=1)) == "expired"


def test_a_presigned_url_of_other_services_lives_at_least_a_quarter_of_an_hour():
    url = by_url(aws("GET"), expires_s=60)
    assert verify(url, NOW + 15 * MINUTE)
    assert reason(url, NOW + 16 * MINUTE) == "skewed"
    assert verify(by_url(aws("GET"), expires_s=3600), NOW + 50 * MINUTE)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "604801",
            (
                "X-Amz-Expires must be less than a week (in seconds); that is, "
                "the given X-Amz-Expires must be less than 604800 seconds"
            ),
        ),
        ("-1", "X-Amz-Expires must be non-negative"),
        ("soon", "X-Amz-Expires should be a number"),
        ("1e3", "X-Amz-Expires should be a number"),
    ],
)
def test_a_presigned_url_with_no_proper_life(said, message):
    url = by_s3_url(aws("GET"))
    url.query = url.query.replace("X-Amz-Expires=3600", f"X-Amz-Expires={said}")
    with pytest.raises(Refused) as caught:
        read_claim(url)
    error = as_error(caught.value, "s3")
    assert (error.code, error.message) == ("AuthorizationQueryParametersError", message)


@pytest.mark.parametrize("name", ["Algorithm", "Credential", "Date", "SignedHeaders", "Expires", "Signature"])
def test_a_presigned_url_without_one_of_its_parameters(name):
    url = by_s3_url(aws("GET"))
    url.query = "&".join(part for part in url.query.split("&") if not part.startswith(f"X-Amz-{name}="))
    with pytest.raises(Refused) as caught:
        read_claim(url)
    assert caught.value.reason == "parameters"


# -- claims that cannot be read

MALFORMED = {
    "AWS4-HMAC-SHA256 Credential": "'Credential' not a valid key=value pair (missing equal-sign)",
    "AWS4-HMAC-SHA256 Credential=a/20261124/b/c/aws4_request": "Authorization header requires 'SignedHeaders' parameter. "
    "Authorization header requires 'Signature' parameter.",
    "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature="
    + "0" * 64: "Credential must have exactly 5",
}


@pytest.mark.parametrize("header", MALFORMED)
def test_a_malformed_header_is_told_what_it_lacks(header):
    with pytest.raises(Refused) as caught:
        read_claim(Request("GET", "/", headers={"authorization": header, "x-amz-date": "20261124T140000Z"}))
    assert caught.value.reason == "incomplete"
    assert caught.value.message.startswith(MALFORMED[header])
    assert as_error(caught.value, "query").code == "IncompleteSignature"
    assert as_error(caught.value, "json").code == "IncompleteSignatureException"


@pytest.mark.parametrize(
    "header", ["Basic abc", "AWS AKIA:sig", "Bearer x", "AWS4 x", "AWS4-ECDSA-P256-SHA256 Credential=a"]
)
def test_another_mechanism_is_refused(header):
    with pytest.raises(Refused) as caught:
        read_claim(Request("GET", "/", headers={"authorization": header}))
    assert caught.value.reason == "mechanism"
    error = as_error(caught.value, "s3")
    assert (error.code, error.status) == ("InvalidArgument", 400)
    assert error.message == "Unsupported Authorization Type"
    assert error.fields == {"ArgumentName": "Authorization", "ArgumentValue": header}


def test_the_parts_of_the_header_may_come_in_any_order_and_spacing():
    request = by_header(aws())
    algorithm, _, rest = request.headers["authorization"].partition(" ")
    parts = rest.split(", ")
    request.headers["authorization"] = f"{algorithm}  {' ,  '.join(reversed(parts))} "
    assert verify(request)


@pytest.mark.parametrize("date", ["", "yesterday", "20261124T140000", "2026-11-24T14:00:00Z"])
def test_a_date_is_needed(date):
    request = by_header(aws())
    request.headers["x-amz-date"] = date
    with pytest.raises(Refused) as caught:
        read_claim(request)
    error = as_error(caught.value, "query")
    assert (error.code, error.status) == ("IncompleteSignature", 400)
    assert error.message.startswith("Authorization header requires existence of either a 'X-Amz-Date'")
    error = as_error(caught.value, "s3")
    assert (error.code, error.status) == ("AccessDenied", 403)
    assert error.message == "AWS authentication requires a valid Date or x-amz-date header"


def test_the_date_header_will_do():
    request = by_header(aws())
    authorization = request.headers["authorization"]
    del request.headers["x-amz-date"]
    request.headers["date"] = "Tue, 24 Nov 2026 14:00:00 GMT"
    claim = read_claim(request)
    assert claim is not None
    assert claim.signed_at == "20261124T140000Z"
    assert authorization


def test_an_impossible_date_is_refused_not_crashed_on():
    request = by_header(aws())
    request.headers["x-amz-date"] = "20261399T996199Z"
    request.headers["authorization"] = request.headers["authorization"].replace("/20261124/", "/20261399/")
    assert reason(request) == "date"
    request.headers["date"] = "Fri, 31 Dec 9999 23:59:59 -1400"
    del request.headers["x-amz-date"]
    assert reason(request) == "date"


@pytest.mark.parametrize(
    ("date", "refusal"),
    [
        ("19500707T215304Z", "date"),
        ("20100707T215304Z", "skewed"),
        ("20300707T215304Z", "skewed"),
        ("99990707T215304Z", "skewed"),
        ("20261124T140001Z", "mismatch"),
    ],
)
def test_s3_asks_when_before_it_asks_what(date, refusal):
    request = by_s3_header(aws("GET"))
    request.headers["x-amz-date"] = date
    assert reason(request) == refusal


def test_s3_asks_who_before_it_asks_when():
    request = by_s3_header(aws("GET"))
    request.headers["authorization"] = request.headers["authorization"].replace(KEY, "AKIANOBODY0000000000")
    request.headers["x-amz-date"] = "20100707T215304Z"
    assert reason(request) == "unknown-key"


@pytest.mark.parametrize("empty", ["", " "])
def test_an_unsigned_request_claims_nothing(empty):
    assert read_claim(Request("GET", "/", "Action=X&X-Amz-Nothing=1")) is None
    assert read_claim(Request("GET", "/", headers={"authorization": empty})) is None


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_any_authorization_is_read_or_refused(text):
    for header in (text, "AWS4-HMAC-SHA256 " + text):
        with contextlib.suppress(Refused):
            read_claim(
                Request("GET", "/", headers={"authorization": header, "x-amz-date": "20261124T140000Z"})
            )


@given(
    st.text(st.characters(max_codepoint=255), max_size=200),
    st.text(st.characters(max_codepoint=255), max_size=50),
)
def test_any_key_scope_and_signature_is_refused_not_crashed_on(text, signature):
    claim = read_claim(by_header(aws()))
    assert claim is not None
    for changed in (
        replace(claim, signature=signature),
        replace(claim, access_key_id=text + "x"),
        replace(claim, region=text + "x"),
        replace(claim, service=text + "x"),
        replace(claim, signed_headers="host;" + text + "x"),
        replace(claim, token=text + "x"),
    ):
        with pytest.raises(Refused):
            Verifier(KEYS, ManualClock(NOW)).verify(by_header(aws()), changed)


# -- words


def test_every_family_has_words_for_every_reason():
    reasons = set(WORDINGS["query"])
    assert all(set(words) == reasons for words in WORDINGS.values())


def test_a_mismatch_tells_what_should_have_been_signed_except_to_ec2():
    request = by_header(aws())
    request.headers["x-amz-date"] = "20261124T140001Z"
    with pytest.raises(Refused) as caught:
        verify(request)
    assert (
        "\n\nThe Canonical String for this request should have been\n'POST\n/\n\nhost:"
        in as_error(caught.value, "query").message
    )
    assert (
        "String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261124T140001Z\n"
        in as_error(caught.value, "json").message
    )
    assert (
        as_error(caught.value, "ec2").message
        == "AWS was not able to validate the provided access credentials"
    )
    fields = as_error(caught.value, "s3").fields
    assert str(fields["StringToSign"]).startswith("AWS4-HMAC-SHA256\n20261124T140001Z")
    assert fields["StringToSignBytes"] == str(fields["StringToSign"]).encode().hex(" ")
    assert SECRET not in str(caught.value.facts)
