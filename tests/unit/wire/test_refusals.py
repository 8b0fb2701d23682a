"""What a service says to a request it cannot take: codes and wording, as AWS words them."""

import gzip

import pytest
from tests.unit.wire.asking import form, json, numbered, parsed, rest

from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.gateway.wire import WireRequest, load


def refused(asked) -> tuple[str, str]:
    with pytest.raises(ServiceError) as caught:
        parsed(asked() if callable(asked) else asked)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            "Action=RunInstances&MinCount=1",
            "MissingParameter",
            "The request must contain the parameter MaxCount",
        ),
        (
            "Action=TerminateInstances",
            "MissingParameter",
            "The request must contain the parameter InstanceId",
        ),
        ("Action=DescribeVpcs&Foo=1", "UnknownParameter", "The parameter Foo is not recognized"),
        (
            "Action=DescribeVpcs&Filter.1.Nmae=x",
            "UnknownParameter",
            "The parameter Filter.1.Nmae is not recognized",
        ),
        (
            "Action=DescribeVpcs&Filter.x.Name=x",
            "UnknownParameter",
            "The parameter Filter.x.Name is not recognized",
        ),
        (
            "Action=DescribeVpcs&DryRun=perhaps",
            "InvalidParameterValue",
            "Value (perhaps) for parameter dryRun is invalid. boolean must follow xsd1.1 definition",
        ),
        (
            "Action=DescribeVpcs&MaxResults=1",
            "InvalidParameterValue",
            "Value ( 1 ) for parameter maxResults is invalid. Expecting a value greater than 5.",
        ),
        ("Action=Nope", "InvalidAction", "The action Nope is not valid for this web service."),
        ("", "MissingParameter", "The request must contain the parameter Action"),
        (
            "Action=DescribeVpcs&Version=9",
            "NoSuchVersion",
            "The requested version (9) of service AmazonEC2 does not exist",
        ),
    ],
)
def test_ec2_names_the_parameter(body, code, message):
    assert refused(lambda: form("ec2", body)) == (code, message)


def test_a_secret_is_not_repeated():
    code, message = refused(json("ssm", "PutParameter", {"Name": "a" * 3000, "Value": ""}))
    assert "Value 'aaa" in message
    code, message = refused(json("kms", "Encrypt", {"KeyId": "k", "Plaintext": "AA" * 9000}))
    assert code == "ValidationException"
    assert "Value at 'plaintext' failed to satisfy constraint: Member must have length less" in message


def test_booleans_are_spelled_as_in_xml_schema():
    body = "Action=TerminateInstanceInAutoScalingGroup&InstanceId=i-1&ShouldDecrementDesiredCapacity="
    assert refused(lambda: form("autoscaling", body + "True")) == (
        "MalformedInput",
        "boolean must follow xsd1.1 definition",
    )
    assert parsed(form("autoscaling", body + "1"))["ShouldDecrementDesiredCapacity"] is True
    assert parsed(form("ec2", "Action=DescribeVpcs&DryRun=True")) == {"DryRun": True}


def test_ec2_leaves_enums_to_its_operations():
    assert parsed(form("ec2", "Action=RunInstances&MinCount=1&MaxCount=1&InstanceType=z9.huge"))


def test_all_that_is_wrong_is_said_at_once():
    asked = form("iam", "Action=CreateUser&UserName=a%20b&Path=x&Tags.member.1.Key=")
    code, message = refused(asked)
    assert code == "ValidationError"
    start, *rest_ = message.split("; ")
    assert start == (
        "5 validation errors detected: Value 'a b' at 'userName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w+=,.@-]+"
    )
    assert "Value 'x' at 'path' failed to satisfy constraint: Member must satisfy regular" in rest_[0]
    assert (
        "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null" in rest_
    )
    assert (
        "Value '' at 'tags.1.member.key' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    ) in message


WORDS = [
    (
        lambda: json("ssm", "GetParameter", {}),
        "ValidationException",
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null",
    ),
    (
        lambda: json("kms", "DescribeKey", {"KeyId": "k" * 2049}),
        "ValidationException",
        "Member must have length less than or equal to 2048",
    ),
    (
        lambda: json("logs", "CreateLogGroup", {"logGroupName": "a b"}),
        "InvalidParameterException",
        (
            r"Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression "
            r"pattern: [\.\-_/#A-Za-z0-9]+"
        ),
    ),
    (
        lambda: json("ssm", "PutParameter", {"Name": "a", "Value": "b", "Type": "x"}),
        "ValidationException",
        (
            "Value 'x' at 'type' failed to satisfy constraint: "
            "Member must satisfy enum value set: [String, StringList, SecureString]"
        ),
    ),
    (
        lambda: json("ssm", "GetParameters", {"Names": []}),
        "ValidationException",
        "Value '[]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ),
    (
        lambda: json("kms", "EnableKey", {"KeyId": 1}),
        "SerializationException",
        "NUMBER_VALUE can not be converted to a String",
    ),
    (
        lambda: json("kms", "EnableKey", {"KeyId": ["a"]}),
        "SerializationException",
        "Start of list found where not expected.",
    ),
    (lambda: json("kms", "EnableKey", b"{"), "SerializationException", "The JSON cannot be parsed"),
    (
        lambda: json("ssm", "GetParameters", {"Names": ["a", None]}),
        "ValidationException",
        "Value null at 'names.2.member' failed to satisfy constraint: Member must not be null",
    ),
    (
        lambda: form("autoscaling", "Action=DescribeAutoScalingGroups&MaxRecords=many"),
        "MalformedInput",
        "'many' is not a valid integer",
    ),
    (
        lambda: form("cloudwatch", "Action=PutMetricData&Namespace=a&MetricData.member.1.Value=1"),
        "MissingParameter",
        "The parameter MetricData.1.member.MetricName is required.",
    ),
    (
        lambda: rest("route53", "POST", "/2013-04-01/hostedzone", b"<a><Name>x.y</Name></a>"),
        "InvalidInput",
        "1 validation error detected: Value null at 'callerReference' failed to satisfy constraint",
    ),
    (
        lambda: rest("route53", "POST", "/2013-04-01/hostedzone", b"<a><Name>"),
        "InvalidInput",
        "The XML cannot be parsed",
    ),
    (
        lambda: rest("s3", "PUT", "/b?versioning", b"<nonsense"),
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    ),
    (
        lambda: rest(
            "s3", "PUT", "/b?tagging", b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>"
        ),
        "MalformedXML",
        "The XML you provided",
    ),
    (lambda: rest("s3", "PUT", "/b?versioning"), "MissingRequestBodyError", "Request Body is empty"),
    (
        lambda: rest("s3", "GET", "/b?list-type=2&max-keys=x"),
        "InvalidArgument",
        "Provided max-keys not an integer or within integer range",
    ),
    (lambda: rest("s3", "POST", "/b/k?nope"), "MethodNotAllowed", "The specified method is not allowed"),
    (lambda: rest("efs", "GET", "/2015-02-01/nope"), "UnknownOperationException", "not recognized"),
    (lambda: json("kms", "Nope", {}), "UnknownOperationException", "not recognized"),
    (
        lambda: form("iam", "Action=Nope&Version=2010-05-08"),
        "InvalidAction",
        "Could not find operation Nope for version 2010-05-08",
    ),
]


@pytest.mark.parametrize(("asked", "code", "said"), WORDS, ids=numbered(WORDS))
def test_each_service_has_its_words(asked, code, said):
    got_code, got_message = refused(asked)
    assert got_code == code
    assert said in got_message


def test_a_document_type_is_refused():
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a><Name>&b;</Name></a>'
    assert refused(rest("route53", "POST", "/2013-04-01/hostedzone", bomb))[0] == "InvalidInput"


def test_nesting_has_an_end():
    deep = ".".join(["Filter.1"] * 60)
    assert refused(form("ec2", f"Action=DescribeVpcs&{deep}=x"))[0] == "MalformedQueryString"
    assert refused(json("ssm", "PutParameter", b"[" * 100_000))[0] == "SerializationException"
    xml = b"<a>" * 50_000 + b"</a>" * 50_000
    assert refused(rest("route53", "POST", "/2013-04-01/hostedzone", xml))[0] == "InvalidInput"


def test_a_packed_body_is_unpacked_up_to_a_limit():
    model = load("cloudwatch")
    plain = b"Action=DescribeAlarms&MaxRecords=5"
    headers = {"content-encoding": "gzip"}
    request = WireRequest("POST", "/", headers=headers, body=gzip.compress(plain))
    assert parsed((model.match(request), request)) == {"MaxRecords": 5}
    for body in (gzip.compress(b"x" * (33 * 1024 * 1024)), b"no gzip", gzip.compress(plain)[:-9]):
        with pytest.raises(ServiceError):
            model.match(WireRequest("POST", "/", headers=headers, body=body))


def test_event_streams_are_not_built():
    with pytest.raises(NotBuilt, match="StartLiveTail"):
        parsed(json("logs", "StartLiveTail", {"logGroupIdentifiers": ["a"]}))
