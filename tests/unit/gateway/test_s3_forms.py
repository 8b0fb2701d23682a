"""Uploads by browser forms: read in any pieces, allowed by their policy alone, answered as they ask."""

import asyncio
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.core.caller import Credential
from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.http import HttpRequest
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.multipart import FIELDS_BYTES_MAX, Form
from cloudstead.gateway.post_policy import PostPolicy

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ROOT = Credential(
    access_key_id=KEY, secret_access_key=SECRET, account="1", arn="a", user_id="1", principal="root"
)
NOW = datetime.now(UTC)
TYPE = "multipart/form-data; boundary=XyZ"


class OneKey:
    def find(self, access_key_id):
        return ROOT if access_key_id == KEY else None


class Everybody:
    def authorize(self, caller, service, operation, request):
        pass


class Objects:
    def __init__(self):
        self.kept = {}

    async def put_object(self, caller, request):
        body = request["Body"]
        content = body if isinstance(body, bytes) else b"".join([piece async for piece in body])
        self.kept[request["Key"]] = {**request, "Body": content, "by": caller.principal}
        return {"ETag": '"abc"', "VersionId": "v1"}


@pytest.fixture
def objects():
    return Objects()


@pytest.fixture
def post(objects):
    """Send a form; the file last, and a submit button behind it as pages have it."""
    gateway = Gateway({"s3": {"PutObject": objects.put_object}}, OneKey(), Everybody())

    def post(fields, content=b"hello", filename="a.txt", path="/bucket", body=None, headers=None):
        if body is None:
            body = form([*fields.items(), ("file", (filename, content)), ("submit", "Upload")])
        told = {"host": "s3.test", "content-type": TYPE, "content-length": str(len(body)), **(headers or {})}
        answer = gateway.handle(HttpRequest("POST", path, "", told, body))
        return asyncio.run(_awaited(answer))

    return post


async def _awaited(answer):
    return await answer


def form(parts):
    body = b""
    for name, value in parts:
        body += b'--XyZ\r\nContent-Disposition: form-data; name="%b"' % name.encode()
        content = value.encode() if isinstance(value, str) else value
        if isinstance(value, tuple):
            body += b'; filename="%b"\r\nContent-Type: text/plain' % value[0].encode()
            content = value[1]
        body += b"\r\n\r\n" + content + b"\r\n"
    return body + b"--XyZ--\r\n"


def presigned(key, fields=None, conditions=None, expires=300):
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4"),
    )
    return client.generate_presigned_post("bucket", key, fields, conditions, expires)["fields"]


def error(response):
    text = response.body.decode()
    return response.status, text.partition("<Code>")[2].partition("</Code>")[0]


def test_what_boto3_presigns_is_kept_with_its_headers(post, objects):
    fields = {"acl": "private", "Content-Type": "text/x", "x-amz-meta-who": "zoë", "x-ignore-me": "1"}
    conditions = [{name: value} for name, value in fields.items() if name != "x-ignore-me"]
    answer = post(presigned("k/${filename}", fields, [*conditions, ["content-length-range", 1, 10]]))
    assert (answer.status, answer.body) == (204, b"")
    assert ("Location", "http://s3.test/bucket/k/a.txt") in answer.headers
    assert ("ETag", '"abc"') in answer.headers
    kept = objects.kept["k/a.txt"]
    assert (kept["Bucket"], kept["Body"], kept["by"]) == ("bucket", b"hello", "root")
    assert (kept["ACL"], kept["ContentType"]) == ("private", "text/x")
    assert kept["Metadata"] == {"who": "=?UTF-8?Q?zo=C3=AB?="}
    assert kept["_Http"].method == "POST"


def test_the_policy_is_about_what_becomes_of_the_files_name(post, objects):
    fields = {"x-amz-meta-name": "${filename}"}
    conditions = [["starts-with", "$key", "a."], ["eq", "$x-amz-meta-name", "a.txt"]]
    signed = presigned("${filename}", fields, conditions)
    assert post(signed, filename="a.txt").status == 204
    assert objects.kept["a.txt"]["Metadata"] == {"name": "a.txt"}
    assert error(post(signed, filename="b.txt")) == (403, "AccessDenied")
    assert list(objects.kept) == ["a.txt"]


def test_a_large_file_passes_through_a_file_without_a_name(post, objects):
    content = bytes(range(256)) * 10_000
    assert post(presigned("big"), content).status == 204
    assert objects.kept["big"]["Body"] == content


def test_tags_come_as_a_document(post, objects):
    tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>"
    assert post(presigned("k", {"tagging": tags}, [{"tagging": tags}])).status == 204
    assert objects.kept["k"]["Tagging"] == "a=b+c"
    assert error(post(presigned("k", {"tagging": "<x"}, [{"tagging": "<x"}]))) == (400, "MalformedXML")


@pytest.mark.parametrize(
    ("asked", "status"), [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("", 204)]
)
def test_the_form_chooses_its_status(post, asked, status):
    answer = post(presigned("a b", {"success_action_status": asked}, [{"success_action_status": asked}]))
    assert answer.status == status
    if status == 201:
        assert b'<Bucket>bucket</Bucket><Key>a b</Key><ETag>"abc"</ETag>' in answer.body
        assert b"<Location>http://s3.test/bucket/a%20b</Location>" in answer.body
    else:
        assert answer.body == b""


def test_the_form_sends_the_browser_on(post):
    to = "http://page.test/done?x=1"
    answer = post(presigned("k", {"success_action_redirect": to}, [{"success_action_redirect": to}]))
    assert answer.status == 303
    assert ("Location", f"{to}&bucket=bucket&key=k&etag=%22abc%22") in answer.headers
    odd = "javascript:alert(1)"
    answer = post(presigned("k", {"success_action_redirect": odd}, [{"success_action_redirect": odd}]))
    assert answer.status == 204


def test_without_a_policy_it_is_anybodys(post, objects):
    assert post({"key": "k", "Content-Type": "text/x"}).status == 204
    assert objects.kept["k"]["by"] == "anonymous"


def test_old_pages_sign_by_version_2(post, objects):
    policy = b64encode(json.dumps(document([{"bucket": "bucket"}, ["starts-with", "$key", "k"]])).encode())
    said = b64encode(hmac.digest(SECRET.encode(), policy, "sha1")).decode()
    fields = {"key": "k", "AWSAccessKeyId": KEY, "policy": policy.decode(), "signature": said}
    assert post(fields).status == 204
    assert objects.kept["k"]["by"] == "root"
    assert error(post({**fields, "signature": said[::-1]})) == (403, "SignatureDoesNotMatch")
    assert error(post({**fields, "AWSAccessKeyId": "AKIANOBODY"})) == (403, "InvalidAccessKeyId")
    assert error(post({name: fields[name] for name in ("key", "policy", "AWSAccessKeyId")})) == (
        400,
        "InvalidArgument",
    )


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"x-amz-signature": "0" * 64}, (403, "SignatureDoesNotMatch")),
        ({"policy": b64encode(b"{}").decode()}, (403, "SignatureDoesNotMatch")),
        ({"x-amz-credential": "AKIANOBODY/20250101/us-east-1/s3/aws4_request"}, (403, "InvalidAccessKeyId")),
        ({"x-amz-credential": f"{KEY}/20250101/us-east-1/sts/aws4_request"}, (400, "InvalidRequest")),
        ({"x-amz-meta-more": "1"}, (403, "AccessDenied")),
        ({"key": "other"}, (403, "AccessDenied")),
        ({"key": ""}, (400, "InvalidArgument")),
    ],
)
def test_a_form_that_is_not_as_it_was_signed_is_refused(post, objects, changes, refusal):
    assert error(post({**presigned("k"), **changes})) == refusal
    assert objects.kept == {}


def test_another_bucket_or_too_much_or_too_late_is_refused(post, objects):
    assert error(post(presigned("k"), path="/other")) == (403, "AccessDenied")
    assert error(post(presigned("k", expires=-5))) == (403, "AccessDenied")
    ranged = presigned("k", None, [["content-length-range", 6, 7]])
    assert error(post(ranged, b"12345")) == (400, "EntityTooSmall")
    assert error(post(ranged, b"12345678")) == (400, "EntityTooLarge")
    assert objects.kept == {}
    assert error(post(presigned("k"), path="/bucket/k")) == (405, "MethodNotAllowed")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", "MalformedPOSTRequest"),
        (b"--XyZ", "MalformedPOSTRequest"),
        (form([("file", ("a", b"x"))])[:-9], "InvalidArgument"),
        (form([("key", "k"), ("file", ("a", b"x"))])[:-9], "MalformedPOSTRequest"),
        (form([("key", "k")]), "InvalidArgument"),
        (form([("file", ("a", b"x")), ("key", "k")]), "InvalidArgument"),
        (form([("key", "k" * FIELDS_BYTES_MAX), ("file", ("a", b"x"))]), "MaxPostPreDataLengthExceeded"),
        (form([("key", b"\xff"), ("file", ("a", b"x"))]), "MalformedPOSTRequest"),
        (b"--XyZ\r\nContent-Type: text/plain\r\n\r\nx\r\n--XyZ--", "MalformedPOSTRequest"),
    ],
)
def test_a_malformed_form_is_refused(post, objects, body, refusal):
    assert error(post({}, body=body)) == (400, refusal)
    assert objects.kept == {}


@given(
    content=st.binary(max_size=300),
    fields=st.dictionaries(
        st.from_regex("[a-z]{1,8}", fullmatch=True).filter(lambda n: n != "file"),
        st.text(max_size=20),
        max_size=4,
    ),
    step=st.integers(1, 40),
)
def test_a_form_is_read_alike_in_any_pieces(content, fields, step):
    content = content.replace(b"--XyZ", b"")
    body = form([*fields.items(), ("file", ("dir\\n.bin", content)), ("after", "x")])

    async def pieces():
        for at in range(0, len(body), step):
            yield body[at : at + step]

    async def read():
        found = Form(TYPE, pieces())
        await found.read_fields()
        return found.fields, found.filename, b"".join([piece async for piece in found.file()])

    assert asyncio.run(read()) == (fields, "n.bin", content)


def document(conditions, **changes):
    return {
        "expiration": (NOW + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "conditions": conditions,
        **changes,
    }


def read(policy):
    return PostPolicy.read(b64encode(json.dumps(policy).encode()).decode())


def test_names_and_operators_have_no_case_but_values_have():
    policy = read(document([{"bUcKeT": "b"}, ["StArTs-WiTh", "$KeY", "foo"], ["eq", "$Acl", "private"]]))
    policy.check({"key": "foo.txt", "acl": "private"}, "b", NOW)
    for fields in ({"key": "Foo", "acl": "private"}, {"key": "foo", "acl": "Private"}, {"key": "foo"}):
        with pytest.raises(ServiceError, match="Policy Condition failed"):
            policy.check(fields, "b", NOW)


def test_each_of_several_types_must_begin_so():
    policy = read(document([["starts-with", "$Content-Type", "image/"]]))
    policy.check({"content-type": "image/png,image/jpeg"}, "b", NOW)
    with pytest.raises(ServiceError):
        policy.check({"content-type": "image/png,text/html"}, "b", NOW)


@pytest.mark.parametrize(
    "policy",
    [
        [],
        {},
        document(None),
        document("x"),
        document([{}]),
        document([{"a": "1", "b": "2"}]),
        document([["eq", "$a"]]),
        document([["eq", "a", "1"]]),
        document([["is", "$a", "1"]]),
        document([{"a": 1}]),
        document([["content-length-range", 0]]),
        document([["content-length-range", -1, 0]]),
        document([], expiration="tomorrow"),
        document([], expiration="2030-99-01T00:00:00Z"),
        {"EXPIRATION": "2030-01-01T00:00:00Z", "conditions": []},
        {"expiration": "2030-01-01T00:00:00Z", "CONDITIONS": []},
    ],
)
def test_a_document_that_is_no_policy_is_refused(policy):
    with pytest.raises(ServiceError) as caught:
        read(policy)
    assert (caught.value.code, caught.value.status) == ("InvalidPolicyDocument", 400)
