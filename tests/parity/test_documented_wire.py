"""What stands on the wire around an answer: elements, namespaces, headers and types, as AWS's references show for each protocol."""

import email.utils
import http.client
import json
import xml.etree.ElementTree as ET

import pytest

_EC2 = "{http://ec2.amazonaws.com/doc/2016-11-15/}"
_STS = "{https://sts.amazonaws.com/doc/2011-06-15/}"
_IAM = "{https://iam.amazonaws.com/doc/2010-05-08/}"


class Raw:
    """Requests without any SDK."""

    def __init__(self, cloud):
        self._port = cloud.port

    def send(self, service, body, **headers):
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        scope = f"200000000000/20250101/us-east-1/{service}/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"
        plain = {"Authorization": signed, "Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", "/", body, plain | headers)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        return answer, text

    def xml(self, service, body):
        answer, text = self.send(service, body)
        return answer, ET.fromstring(text)

    def ssm(self, operation, **asked):
        target = {"X-Amz-Target": f"AmazonSSM.{operation}", "Content-Type": "application/x-amz-json-1.1"}
        answer, text = self.send("ssm", json.dumps(asked), **target)
        return answer, json.loads(text)


@pytest.fixture
def raw(cloud):
    return Raw(cloud)


def _tags(element):
    return [child.tag for child in element]


def test_an_answer_of_ec2_begins_with_the_request_id(raw):
    answer, root = raw.xml("ec2", "Action=DescribeRegions&Version=2016-11-15")
    assert (answer.status, root.tag) == (200, f"{_EC2}DescribeRegionsResponse")
    assert _tags(root) == [f"{_EC2}requestId", f"{_EC2}regionInfo"]
    assert answer.headers["x-amzn-RequestId"] == root[0].text
    assert answer.headers["Content-Type"] == "text/xml;charset=UTF-8"


def test_an_answer_of_ec2_that_says_nothing_returns_true(raw):
    _, root = raw.xml("ec2", "Action=DeleteKeyPair&KeyName=none&Version=2016-11-15")
    assert root.find(f"{_EC2}return").text == "true"


def test_an_empty_set_of_ec2_is_an_empty_element(raw):
    _, root = raw.xml("ec2", "Action=DescribeInstances&Version=2016-11-15")
    assert _tags(root) == [f"{_EC2}requestId", f"{_EC2}reservationSet"]
    assert len(root[1]) == 0


def test_an_error_of_ec2_is_a_bare_response(raw):
    answer, root = raw.xml("ec2", "Action=DescribeInstances&InstanceId.1=i-zz&Version=2016-11-15")
    assert (answer.status, root.tag, _tags(root)) == (400, "Response", ["Errors", "RequestID"])
    assert _tags(root[0]) == ["Error"]
    assert _tags(root[0][0]) == ["Code", "Message"]
    assert answer.headers["Content-Type"] == "text/xml;charset=UTF-8"
    assert answer.headers["x-amzn-RequestId"] == root[1].text


def test_an_answer_of_sts_is_wrapped_in_a_result(raw):
    answer, root = raw.xml("sts", "Action=GetCallerIdentity&Version=2011-06-15")
    assert root.tag == f"{_STS}GetCallerIdentityResponse"
    assert _tags(root) == [f"{_STS}GetCallerIdentityResult", f"{_STS}ResponseMetadata"]
    assert set(_tags(root[0])) == {f"{_STS}Arn", f"{_STS}UserId", f"{_STS}Account"}
    assert answer.headers["x-amzn-RequestId"] == root[1][0].text
    assert answer.headers["Content-Type"] == "text/xml"


def test_an_answer_of_iam_that_says_nothing_has_no_result(raw):
    raw.xml("iam", "Action=CreateGroup&GroupName=wire&Version=2010-05-08")
    _, root = raw.xml("iam", "Action=DeleteGroup&GroupName=wire&Version=2010-05-08")
    assert _tags(root) == [f"{_IAM}ResponseMetadata"]


def test_an_error_of_iam_names_the_sender(raw):
    answer, root = raw.xml("iam", "Action=GetUser&UserName=none&Version=2010-05-08")
    assert (answer.status, root.tag) == (404, f"{_IAM}ErrorResponse")
    assert _tags(root) == [f"{_IAM}Error", f"{_IAM}RequestId"]
    assert [(child.tag, child.text) for child in root[0]] == [
        (f"{_IAM}Type", "Sender"),
        (f"{_IAM}Code", "NoSuchEntity"),
        (f"{_IAM}Message", "The user with name none cannot be found."),
    ]


def test_an_answer_of_ssm_is_json_1_1(raw):
    answer, said = raw.ssm("PutParameter", Name="wire", Value="1", Type="String", Overwrite=True)
    assert (answer.status, said["Tier"]) == (200, "Standard")
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert answer.headers["x-amzn-RequestId"]


def test_a_time_of_ssm_is_a_number(raw):
    raw.ssm("PutParameter", Name="time", Value="1", Type="String", Overwrite=True)
    _, said = raw.ssm("GetParameter", Name="time")
    assert isinstance(said["Parameter"]["LastModifiedDate"], float | int)


def test_an_error_of_ssm_names_its_type_in_the_body(raw):
    answer, said = raw.ssm("GetParameter", Name="none")
    assert (answer.status, said["__type"]) == (400, "ParameterNotFound")
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"


@pytest.mark.parametrize(
    ("service", "body"),
    [
        ("ec2", "Action=DescribeRegions&Version=2016-11-15"),
        ("sts", "Action=GetCallerIdentity&Version=2011-06-15"),
    ],
)
def test_every_answer_is_dated(raw, service, body):
    answer, _ = raw.send(service, body)
    assert email.utils.parsedate_to_datetime(answer.headers["Date"]).tzinfo is not None
