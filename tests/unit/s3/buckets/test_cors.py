"""CORS: the rules of a bucket, preflights, and what other answers carry."""

import pytest
from tests.support.api import refusal

from cloudstead.core.errors import ServiceError
from cloudstead.services.s3 import cors
from cloudstead.services.s3.rows import Bucket

GOOD = "https://good.example"


@pytest.fixture
def bucket(s3, store):
    def make(*rules):
        s3.create_bucket(Bucket="abc")
        s3.put_bucket_cors(Bucket="abc", CORSConfiguration={"CORSRules": list(rules)})
        return store.get(Bucket, "abc")

    return make


def rule(**fields):
    return {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": [GOOD], **fields}


def asking(origin=GOOD, method="PUT", headers=""):
    found = {"origin": origin, "access-control-request-method": method}
    return {**found, "access-control-request-headers": headers} if headers else found


def refused(bucket, headers):
    with pytest.raises(ServiceError) as caught:
        cors.preflight(bucket, headers, of_object=True)
    return caught.value


def test_rules_are_kept_whole_and_go(s3, bucket):
    whole = rule(ID="one", AllowedHeaders=["*"], ExposeHeaders=["ETag"], MaxAgeSeconds=3000)
    bucket(whole)
    assert s3.get_bucket_cors(Bucket="abc")["CORSRules"] == [whole]
    s3.delete_bucket_cors(Bucket="abc")
    assert refusal(s3.get_bucket_cors, Bucket="abc") == (
        "NoSuchCORSConfiguration",
        "The CORS configuration does not exist",
    )


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        (
            {"AllowedMethods": ["OPTIONS"]},
            "Found unsupported HTTP method in CORS config. Unsupported method is OPTIONS",
        ),
        (
            {"AllowedOrigins": ["http://*.*.com"]},
            'AllowedOrigin "http://*.*.com" can not have more than one wildcard.',
        ),
        ({"AllowedHeaders": ["*x*"]}, 'AllowedHeader "*x*" can not have more than one wildcard.'),
        (
            {"ExposeHeaders": ["*"]},
            'ExposeHeader "*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
        ),
    ],
)
def test_bad_rules_are_refused(s3, fields, refused):
    s3.create_bucket(Bucket="abc")
    asked = {"CORSRules": [rule(**fields)]}
    assert refusal(s3.put_bucket_cors, Bucket="abc", CORSConfiguration=asked) == ("InvalidRequest", refused)


def test_a_bucket_has_a_hundred_rules_at_most_and_never_none(s3):
    s3.create_bucket(Bucket="abc")
    s3.put_bucket_cors(Bucket="abc", CORSConfiguration={"CORSRules": [rule()] * 100})
    assert refusal(s3.put_bucket_cors, Bucket="abc", CORSConfiguration={"CORSRules": [rule()] * 101})[0] == (
        "InvalidRequest"
    )
    assert refusal(s3.put_bucket_cors, Bucket="abc", CORSConfiguration={"CORSRules": []})[0] == "MalformedXML"


def test_a_preflight_is_answered_by_the_first_rule_that_fits(bucket):
    made = bucket(
        rule(AllowedMethods=["GET"], MaxAgeSeconds=1),
        rule(AllowedHeaders=["x-amz-*", "Content-Type"], ExposeHeaders=["ETag", "x-id"], MaxAgeSeconds=60),
    )
    assert cors.preflight(made, asking(headers="X-Amz-Date, content-type"), of_object=True) == {
        "Access-Control-Allow-Origin": GOOD,
        "Access-Control-Allow-Methods": "GET, PUT",
        "Access-Control-Allow-Headers": "x-amz-date, content-type",
        "Access-Control-Expose-Headers": "ETag, x-id",
        "Access-Control-Max-Age": "60",
        "Access-Control-Allow-Credentials": "true",
        "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
    }


def test_an_origin_that_may_be_any_gets_no_credentials(bucket):
    told = cors.preflight(bucket(rule(AllowedOrigins=["*"])), asking("http://any.example"), of_object=False)
    assert told["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in told


@pytest.mark.parametrize(
    ("pattern", "origin", "fits"),
    [
        ("https://*.example", "https://www.example", True),
        ("https://*.example", "https://www.example.com", False),
        ("https://www.example*", "https://www.example:8443", True),
        ("https://www.example", "http://www.example", False),
        ("https://a.example", "https://aXexample", False),
    ],
)
def test_an_origin_may_have_one_wildcard(bucket, pattern, origin, fits):
    made = bucket(rule(AllowedOrigins=[pattern]))
    assert bool(cors.headers_for(made, origin, "GET")) is fits


@pytest.mark.parametrize(
    "asked", [asking("https://bad.example"), asking(method="DELETE"), asking(headers="x")]
)
def test_a_preflight_that_no_rule_fits_is_forbidden(bucket, asked):
    error = refused(bucket(rule()), asked)
    assert (error.code, error.status) == ("AccessForbidden", 403)
    assert error.message.startswith("CORSResponse: This CORS request is not allowed.")
    assert error.fields["ResourceType"] == "OBJECT"


def test_without_rules_or_bucket_cors_is_not_enabled(s3, store):
    s3.create_bucket(Bucket="abc")
    for made in (store.get(Bucket, "abc"), None):
        assert refused(made, asking()).message == "CORSResponse: CORS is not enabled for this bucket."
    assert cors.headers_for(store.get(Bucket, "abc"), GOOD, "GET") == {}


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"access-control-request-method": "GET"}, "Insufficient information. Origin request header needed."),
        ({"origin": GOOD}, "Invalid Access-Control-Request-Method: null"),
        (asking(method="FLY"), "Invalid Access-Control-Request-Method: FLY"),
    ],
)
def test_a_preflight_needs_an_origin_and_a_method(bucket, asked, text):
    error = refused(bucket(rule()), asked)
    assert (error.code, error.status, error.message) == ("BadRequest", 400, text)
