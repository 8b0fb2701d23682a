"""Clients that are stricter than boto3, on a cloud with simulated machines: Apache libcloud and the AWS CLI.

libcloud looks elements up under the namespace of the API version that it asked for, and sends an older one.
"""

import json
import socket
from urllib.parse import urlsplit

import pytest
from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider
from tests.support.cloud import Cloud, until

TINY = ("--filters", "Name=name,Values=cloudstead-tiny-*", "--query", "Images[0].ImageId", "--output", "text")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    cloud = Cloud(tmp_path_factory.mktemp("cloud"), machines="fake")
    cloud.up()
    try:
        yield cloud
    finally:
        cloud.down()


@pytest.fixture(scope="module")
def image(cloud):
    return cloud.aws("ec2", "describe-images", *TINY)


# --- Apache libcloud


def libcloud(cloud, **more):
    given = {
        "key": cloud.credential("aws_access_key_id"),
        "secret": cloud.credential("aws_secret_access_key"),
        "region": "us-east-1",
        "host": "127.0.0.1",
        "port": cloud.port,
        "secure": False,
        "signature_version": "4",
    }
    return get_driver(Provider.EC2)(**{**given, **more})


@pytest.fixture(scope="module")
def driver(cloud):
    return libcloud(cloud)


def test_libcloud_runs_a_node_through_its_life(driver):
    image = next(one for one in driver.list_images() if one.name.startswith("cloudstead-tiny-"))
    micro = next(size for size in driver.list_sizes() if size.id == "t3.micro")
    assert (micro.ram, image.extra["architecture"]) == (1024, "x86_64")
    key = driver.create_key_pair("libcloud")
    driver.ex_create_security_group("libcloud", "a group")
    driver.ex_authorize_security_group("libcloud", 22, 22, "0.0.0.0/0")
    node = driver.create_node(
        name="web",
        image=image,
        size=micro,
        ex_keyname=key.name,
        ex_security_groups=["libcloud"],
        ex_metadata={"stage": "test"},
    )
    ((node, addresses),) = driver.wait_until_running([node], wait_period=0.1, timeout=20)
    assert addresses == node.public_ips
    assert (node.name, node.extra["key_name"], node.extra["instance_type"]) == ("web", "libcloud", "t3.micro")
    assert driver.ex_describe_tags(node) == {"Name": "web", "stage": "test"}
    assert driver.reboot_node(node)
    assert driver.stop_node(node)
    _until(driver, node, NodeState.STOPPED)
    assert driver.start_node(node)
    _until(driver, node, NodeState.RUNNING)
    assert driver.destroy_node(node)
    _until(driver, node, NodeState.TERMINATED)
    assert driver.ex_delete_security_group("libcloud")
    assert driver.delete_key_pair(key)


def _until(driver, node, state):
    until(lambda: driver.list_nodes(ex_node_ids=[node.id])[0].state == state)


def test_libcloud_sees_the_fingerprint_of_a_key_that_it_brings(driver, tmp_path):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    public = rsa.generate_private_key(65537, 2048).public_key()
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    brought = driver.import_key_pair_from_string("brought", public.public_bytes(*form).decode())
    found = next(key for key in driver.list_key_pairs() if key.name == "brought")
    assert found.fingerprint == brought.fingerprint
    assert driver.delete_key_pair(found)
    assert "brought" not in [key.name for key in driver.list_key_pairs()]


def test_libcloud_lays_out_a_network(driver):
    network = driver.ex_create_network("10.9.0.0/16", name="laid out")
    subnet = driver.ex_create_subnet(network.id, "10.9.1.0/24", "us-east-1a", name="one")
    gateway = driver.ex_create_internet_gateway("way out")
    assert driver.ex_attach_internet_gateway(gateway, network)
    assert [each.vpc_id for each in driver.ex_list_internet_gateways() if each.id == gateway.id] == [
        network.id
    ]
    (table,) = [each for each in driver.ex_list_route_tables() if each.extra["vpc_id"] == network.id]
    assert driver.ex_create_route(table, "0.0.0.0/0", internet_gateway=gateway)
    interface = driver.ex_create_network_interface(subnet, name="plug", private_ip_address="10.9.1.9")
    assert interface.extra["private_ips"][0]["private_ip"] == "10.9.1.9"
    assert driver.ex_delete_network_interface(interface)
    address = driver.ex_allocate_address(domain="vpc")
    assert address.ip in [each.ip for each in driver.ex_describe_all_addresses()]
    assert driver.ex_release_address(address, domain="vpc")
    assert driver.ex_detach_internet_gateway(gateway, network)
    assert driver.ex_delete_internet_gateway(gateway)
    assert driver.ex_delete_subnet(subnet)
    assert driver.ex_delete_network(network)


def test_libcloud_understands_what_is_refused(driver, cloud):
    with pytest.raises(InvalidCredsError):
        libcloud(cloud, secret="wrong").list_nodes()
    with pytest.raises(BaseHTTPError, match=r"InvalidParameterValue.*not-a-cidr"):
        driver.ex_create_network("not-a-cidr")
    with pytest.raises(
        BaseHTTPError, match=r"NotImplemented: The operation ec2:DescribeSnapshots is not built"
    ):
        driver.list_snapshots()


# --- the AWS CLI


def test_lists_come_in_pages_as_they_are_asked_for(cloud, image):
    launch = ("ec2", "run-instances", "--image-id", image, "--instance-type", "t3.nano", "--count", "7")
    ids = [one["InstanceId"] for one in cloud.aws(*launch)["Instances"]]
    cloud.aws("ec2", "wait", "instance-running", "--instance-ids", *ids)
    running = ("ec2", "describe-instances", "--filters", "Name=instance-state-name,Values=running")
    told = ("--query", "Reservations[].Instances[].InstanceId")
    assert sorted(cloud.aws(*running, *told)) == sorted(ids)
    assert sorted(cloud.aws(*running, *told, "--page-size", "5")) == sorted(ids)
    page = cloud.aws(*running, "--no-paginate", "--max-results", "5")
    assert sum(len(one["Instances"]) for one in page["Reservations"]) == 5
    rest = cloud.aws(*running, "--no-paginate", "--next-token", page["NextToken"])
    assert sum(len(one["Instances"]) for one in rest["Reservations"]) == 2
    first = cloud.aws("iam", "list-policies", "--max-items", "2")
    second = cloud.aws("iam", "list-policies", "--max-items", "2", "--starting-token", first["NextToken"])
    names = [one["PolicyName"] for page in (first, second) for one in page["Policies"]]
    assert len(set(names)) == 4
    cloud.aws("ec2", "terminate-instances", "--instance-ids", *ids)


def test_what_is_asked_comes_in_any_form(cloud, image):
    asked = {"ImageId": image, "InstanceType": "t3.nano", "MinCount": 1, "MaxCount": 1}
    (cloud.folder / "asked.json").write_text(json.dumps(asked))
    launched = ("ec2", "run-instances", "--cli-input-json", "file://asked.json")
    id = cloud.aws(*launched, "--query", "Instances[0].InstanceId", "--output", "text")
    row = (
        "ec2",
        "describe-instances",
        "--instance-ids",
        id,
        "--query",
        "Reservations[].Instances[].[InstanceId]",
    )
    assert cloud.aws(*row, "--output", "text") == id
    assert id in cloud.aws(*row, "--output", "table")
    cloud.aws("ec2", "terminate-instances", "--instance-ids", id)
    newest = ("--owners", "amazon", "--query", "sort_by(Images,&CreationDate)[-1].Name")
    found = cloud.aws("ec2", "describe-images", *newest, "--filters", "Name=name,Values=al2023-ami-2023*")
    assert found.strip('"').startswith("al2023-ami-2023.")
    skeleton = cloud.aws("ec2", "describe-vpcs", "--generate-cli-skeleton", "output")
    assert "Vpcs" in skeleton


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("ec2 run-instances --image-id ami-0123456789abcdef0", "InvalidAMIID.NotFound"),
        ("ec2 run-instances --image-id IMAGE --instance-type t9.huge", "InvalidParameterValue"),
        ("ec2 run-instances --image-id IMAGE --key-name nobody", "InvalidKeyPair.NotFound"),
        ("ec2 run-instances --image-id IMAGE --dry-run", "DryRunOperation"),
        ("ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run", "DryRunOperation"),
        ("ec2 describe-instances --filters Name=nothing,Values=x", "InvalidParameterValue"),
        ("ec2 describe-instances --instance-ids i-0123456789abcdef0", "InvalidInstanceID.NotFound"),
        ("ec2 describe-instances --starting-token x", "InvalidNextToken"),
        ("ec2 describe-vpcs --no-sign-request", "AuthFailure"),
        ("sts get-caller-identity --no-sign-request", "MissingAuthenticationToken"),
        ("ssm describe-parameters --no-sign-request", "MissingAuthenticationTokenException"),
        ("ssm get-parameter --name /nothing", "ParameterNotFound"),
        ("iam get-user --user-name nobody", "NoSuchEntity"),
        ("iam create-role --role-name r --assume-role-policy-document {}", "MalformedPolicyDocument"),
        ("dynamodb list-tables", "NotImplemented"),
        ("lambda list-functions", "NotImplemented"),
        ("cloudfront list-distributions", "NotImplemented"),
        ("route53 get-hosted-zone --id Z0123456789", "NoSuchHostedZone"),
    ],
)
def test_what_is_refused_is_told_with_its_code(cloud, image, words, code):
    said = cloud.aws_error(*[image if word == "IMAGE" else word for word in words.split()])
    assert f"An error occurred ({code}) when calling the " in said


# --- whoever else speaks HTTP


@pytest.mark.parametrize("version", ["2010-08-31", "2013-02-01", "2016-11-15"])
@pytest.mark.parametrize("path", ["/", "/{version}/"])
def test_older_versions_are_answered_in_their_own_namespace(cloud, version, path):
    """In one path or the other, and with a presigned URL that says all in its query."""
    from botocore.auth import SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    keys = Credentials(cloud.credential("aws_access_key_id"), cloud.credential("aws_secret_access_key"))
    url = cloud.endpoint + path.format(version=version)
    asked = AWSRequest("GET", url, params={"Action": "DescribeRegions", "Version": version})
    SigV4QueryAuth(keys, "ec2", "us-east-1").add_auth(asked)
    head, body = _get(asked.prepare().url)
    assert head.startswith("HTTP/1.1 200 ")
    assert f'xmlns="http://ec2.amazonaws.com/doc/{version}/"' in body
    assert "<regionName>us-east-1</regionName>" in body


def _get(url):
    """By hand: no library may mend what is sent or what comes."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=10) as sock:
        sock.sendall(
            f"GET {place.path}?{place.query} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head, body
