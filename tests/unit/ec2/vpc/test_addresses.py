"""Elastic addresses: who has them, what they stand in front of, and what happens when that ends."""

import pytest
from tests.unit.ec2.instances.world import CALLER
from tests.unit.ec2.vpc.cloud import Cloud
from tests.unit.ec2.vpc.world import ACCOUNT, refusal

from cloudstead.core.errors import NotBuilt
from cloudstead.services.ec2.network_rows import ElasticAddress, PublicAddress
from cloudstead.services.ec2.rows import Settings


@pytest.fixture
def cloud():
    return Cloud()


def allocated(cloud, **asked):
    return cloud.allocate_address(**asked)["AllocationId"]


def shown(cloud, id):
    (one,) = cloud.describe_addresses(AllocationIds=[id])["Addresses"]
    return one


def public_ip(cloud, instance):
    return cloud.instance(instance).get("PublicIpAddress")


def test_an_allocated_address_is_mine_until_released(cloud):
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "a", "Value": "b"}]}]
    answer = cloud.allocate_address(Domain="vpc", TagSpecifications=tags)
    assert (answer["Domain"], answer["NetworkBorderGroup"], answer["PublicIpv4Pool"]) == (
        "vpc",
        "us-east-1",
        "amazon",
    )
    one = shown(cloud, answer["AllocationId"])
    assert one["PublicIp"] == answer["PublicIp"]
    assert one["Tags"] == [{"Key": "a", "Value": "b"}]
    assert "AssociationId" not in one
    assert [row.owner for row in cloud.store.rows(PublicAddress)] == [answer["AllocationId"]]
    cloud.release_address(AllocationId=answer["AllocationId"])
    assert cloud.describe_addresses()["Addresses"] == []
    assert cloud.store.rows(PublicAddress) == []
    again = cloud.allocate_address(Address=answer["PublicIp"])
    assert again["PublicIp"] == answer["PublicIp"]
    cloud.release_address(PublicIp=answer["PublicIp"])


def test_an_instance_shows_its_elastic_address_and_gets_an_automatic_one_back(cloud):
    instance = cloud.running()
    automatic = public_ip(cloud, instance)
    id = allocated(cloud)
    association = cloud.associate_address(AllocationId=id, InstanceId=instance)["AssociationId"]
    one = shown(cloud, id)
    assert public_ip(cloud, instance) == one["PublicIp"] != automatic
    assert (one["InstanceId"], one["AssociationId"]) == (instance, association)
    assert one["PrivateIpAddress"] == cloud.instance(instance)["PrivateIpAddress"]
    assert one["NetworkInterfaceOwnerId"] == ACCOUNT
    assert cloud.instance(instance)["NetworkInterfaces"][0]["Association"]["IpOwnerId"] == ACCOUNT
    cloud.stop_instances(InstanceIds=[instance])
    cloud.settle()
    assert public_ip(cloud, instance) == one["PublicIp"]
    cloud.start_instances(InstanceIds=[instance])
    cloud.settle()
    cloud.disassociate_address(AssociationId=association)
    assert "AssociationId" not in shown(cloud, id)
    assert public_ip(cloud, instance) not in (None, one["PublicIp"])


def test_the_end_of_an_instance_frees_its_address(cloud):
    instance, id = cloud.running(), allocated(cloud)
    cloud.associate_address(AllocationId=id, InstanceId=instance)
    cloud.terminate_instances(InstanceIds=[instance])
    cloud.settle()
    assert "AssociationId" not in shown(cloud, id)
    assert [row.owner for row in cloud.store.rows(PublicAddress)] == [id]


def test_the_same_association_is_the_same_and_another_moves_it(cloud):
    one, two, id = cloud.running(), cloud.running(), allocated(cloud)
    association = cloud.associate_address(AllocationId=id, InstanceId=one)["AssociationId"]
    again = cloud.associate_address(AllocationId=id, InstanceId=one, AllowReassociation=False)
    assert again["AssociationId"] == association
    assert refusal(cloud.associate_address, AllocationId=id, InstanceId=two, AllowReassociation=False) == (
        "Resource.AlreadyAssociated",
        f"resource {id} is already associated with associate-id {association}",
    )
    moved = cloud.associate_address(AllocationId=id, InstanceId=two)["AssociationId"]
    assert moved != association
    assert public_ip(cloud, two) == shown(cloud, id)["PublicIp"] != public_ip(cloud, one)


def test_a_second_address_takes_the_place_of_the_first_if_that_is_allowed(cloud):
    instance, first, second = cloud.running(), allocated(cloud), allocated(cloud)
    association = cloud.associate_address(AllocationId=first, InstanceId=instance)["AssociationId"]
    (eni,) = (one["NetworkInterfaceId"] for one in cloud.interfaces_of(instance))
    asked = {"AllocationId": second, "InstanceId": instance}
    assert refusal(cloud.associate_address, **asked, AllowReassociation=False) == (
        "Resource.AlreadyAssociated",
        f"resource {eni} is already associated with associate-id {association}",
    )
    cloud.associate_address(**asked)
    assert "AssociationId" not in shown(cloud, first)
    assert public_ip(cloud, instance) == shown(cloud, second)["PublicIp"]
    taken = {row.id for row in cloud.store.rows(PublicAddress)}
    assert taken == {shown(cloud, first)["PublicIp"], shown(cloud, second)["PublicIp"]}


def test_an_address_stands_before_a_secondary_private_one(cloud):
    subnet = cloud.default_subnet()
    eni = cloud.create_network_interface(SubnetId=subnet, SecondaryPrivateIpAddressCount=1)[
        "NetworkInterface"
    ]
    secondary = eni["PrivateIpAddresses"][1]["PrivateIpAddress"]
    id = allocated(cloud)
    asked = {"AllocationId": id, "NetworkInterfaceId": eni["NetworkInterfaceId"]}
    cloud.associate_address(**asked, PrivateIpAddress=secondary)
    addresses = cloud.interface(eni["NetworkInterfaceId"])["PrivateIpAddresses"]
    assert ["Association" in each for each in addresses] == [False, True]
    assert refusal(cloud.associate_address, **asked, PrivateIpAddress="10.9.9.9")[0] == (
        "InvalidParameterValue"
    )
    cloud.unassign_private_ip_addresses(
        NetworkInterfaceId=eni["NetworkInterfaceId"], PrivateIpAddresses=[secondary]
    )
    assert "AssociationId" not in shown(cloud, id)


def test_one_in_use_is_not_released(cloud):
    instance, id = cloud.running(), allocated(cloud)
    cloud.associate_address(AllocationId=id, InstanceId=instance)
    address = shown(cloud, id)["PublicIp"]
    assert refusal(cloud.release_address, AllocationId=id) == (
        "InvalidIPAddress.InUse",
        f"Address {address} is in use.",
    )


def test_a_network_without_a_way_out_has_no_use_for_one(cloud):
    vpc = cloud.vpc()
    eni = cloud.create_network_interface(SubnetId=cloud.subnet(vpc))["NetworkInterface"]
    asked = {"AllocationId": allocated(cloud), "NetworkInterfaceId": eni["NetworkInterfaceId"]}
    assert refusal(cloud.associate_address, **asked) == (
        "Gateway.NotAttached",
        f"Network {vpc} is not attached to any internet gateway",
    )


def test_an_account_has_so_many_and_no_more():
    cloud = Cloud(settings=Settings(elastic_addresses_max=2))
    allocated(cloud)
    allocated(cloud)
    assert refusal(cloud.allocate_address) == (
        "AddressLimitExceeded",
        "The maximum number of addresses has been reached.",
    )
    assert len(cloud.store.rows(PublicAddress)) == len(cloud.store.rows(ElasticAddress)) == 2


def test_addresses_are_found_by_what_they_are(cloud):
    instance, id, other = cloud.running(), allocated(cloud), allocated(cloud)
    cloud.associate_address(AllocationId=id, InstanceId=instance)
    one = shown(cloud, id)
    finds = {
        "allocation-id": id,
        "association-id": one["AssociationId"],
        "instance-id": instance,
        "network-interface-id": one["NetworkInterfaceId"],
        "network-interface-owner-id": ACCOUNT,
        "private-ip-address": one["PrivateIpAddress"],
        "public-ip": one["PublicIp"],
    }
    for name, value in finds.items():
        found = cloud.describe_addresses(Filters=[{"Name": name, "Values": [value]}])["Addresses"]
        assert [each["AllocationId"] for each in found] == [id], name
    assert len(cloud.describe_addresses(Filters=[{"Name": "domain", "Values": ["vpc"]}])["Addresses"]) == 2
    by_ip = cloud.describe_addresses(PublicIps=[shown(cloud, other)["PublicIp"]])["Addresses"]
    assert [each["AllocationId"] for each in by_ip] == [other]


@pytest.mark.parametrize(
    ("operation", "asked", "code"),
    [
        ("release_address", {}, "MissingParameter"),
        ("release_address", {"AllocationId": "eipalloc-0123456789abcdef0"}, "InvalidAllocationID.NotFound"),
        ("release_address", {"PublicIp": "198.18.1.1"}, "InvalidAddress.NotFound"),
        ("release_address", {"PublicIp": "198.18.1.1", "AllocationId": "x"}, "InvalidParameterCombination"),
        ("disassociate_address", {"AssociationId": "eipassoc-0123456789abcdef0"}, "InvalidAssociationID.NotFound"),
        ("describe_addresses", {"PublicIps": ["198.18.1.1"]}, "InvalidAddress.NotFound"),
        ("allocate_address", {"Address": "8.8.8.8"}, "InvalidAddress.NotFound"),
        ("allocate_address", {"Address": "x"}, "InvalidAddress.Malformed"),
        ("allocate_address", {"PublicIpv4Pool": "ipv4pool-ec2-1"}, "InvalidPublicIpv4PoolID.NotFound"),
        ("allocate_address", {"NetworkBorderGroup": "eu-west-1"}, "InvalidParameterValue"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(cloud, operation, asked, code):
    assert refusal(getattr(cloud, operation), **asked)[0] == code


def test_an_address_of_another_account_is_not_found(cloud):
    other = type(CALLER)(account="999999999999", region="us-east-1", arn="", user_id="")
    answer = cloud.allocate_address(caller=other)
    assert refusal(cloud.release_address, AllocationId=answer["AllocationId"])[0] == (
        "InvalidAllocationID.NotFound"
    )
    assert refusal(cloud.release_address, PublicIp=answer["PublicIp"])[0] == "InvalidAddress.NotFound"
    assert refusal(cloud.allocate_address, Address=answer["PublicIp"])[0] == "InvalidAddress.InUse"
    assert cloud.describe_addresses()["Addresses"] == []


def test_what_is_not_built_says_so(cloud):
    with pytest.raises(NotBuilt, match="CustomerOwnedIpv4Pool"):
        cloud.allocate_address(CustomerOwnedIpv4Pool="x")


def test_no_address_has_a_name_of_its_callers_own(cloud):
    ids = [allocated(cloud) for _ in range(3)]
    answer = cloud.describe_addresses_attribute(AllocationIds=ids[:1], Attribute="domain-name")
    assert answer["Addresses"] == [{"AllocationId": ids[0], "PublicIp": shown(cloud, ids[0])["PublicIp"]}]
    first = cloud.describe_addresses_attribute(MaxResults=2)
    rest = cloud.describe_addresses_attribute(MaxResults=2, NextToken=first["NextToken"])
    assert [one["AllocationId"] for page in (first, rest) for one in page["Addresses"]] == ids
