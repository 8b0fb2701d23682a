"""Network interfaces: made, attached and detached beside running instances, changed, deleted; what is refused."""

import pytest
from tests.unit.ec2.vpc.cloud import Cloud
from tests.unit.ec2.vpc.world import ACCOUNT, refusal

from cloudstead.core.errors import NotBuilt
from cloudstead.services.ec2.network_rows import NetworkInterface


@pytest.fixture
def cloud():
    return Cloud()


def create(cloud, **asked):
    wanted = {"SubnetId": cloud.default_subnet(), **asked}
    return cloud.create_network_interface(**wanted)["NetworkInterface"]


def attached(cloud, instance, interface, index=1):
    asked = {"InstanceId": instance, "NetworkInterfaceId": interface, "DeviceIndex": index}
    return cloud.attach_network_interface(**asked)["AttachmentId"]


# --- making and showing


def test_a_new_interface_is_free_and_complete(cloud):
    made = create(
        cloud,
        Description="mine",
        TagSpecifications=[{"ResourceType": "network-interface", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    assert made["Status"] == "pending"
    shown = cloud.interface(made["NetworkInterfaceId"])
    assert (shown["Status"], shown["Description"], shown["OwnerId"]) == ("available", "mine", ACCOUNT)
    assert (shown["AvailabilityZone"], shown["AvailabilityZoneId"]) == ("us-east-1a", "use1-az6")
    assert shown["Groups"] == [{"GroupId": cloud.default_group(), "GroupName": "default"}]
    assert shown["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert shown["PrivateDnsName"] == f"ip-{shown['PrivateIpAddress'].replace('.', '-')}.ec2.internal"
    assert "Attachment" not in shown
    assert "Association" not in shown
    assert shown["InterfaceType"] == "interface"


def test_addresses_are_given_as_they_are_asked_for(cloud):
    made = create(
        cloud,
        PrivateIpAddresses=[
            {"PrivateIpAddress": "172.31.0.8"},
            {"PrivateIpAddress": "172.31.0.9", "Primary": True},
        ],
    )
    assert made["PrivateIpAddress"] == "172.31.0.9"
    assert [each["PrivateIpAddress"] for each in made["PrivateIpAddresses"]] == ["172.31.0.9", "172.31.0.8"]
    assert [each["Primary"] for each in made["PrivateIpAddresses"]] == [True, False]
    assert len(create(cloud, SecondaryPrivateIpAddressCount=3)["PrivateIpAddresses"]) == 4


def test_a_client_token_makes_one(cloud):
    one = create(cloud, ClientToken="t")
    assert create(cloud, ClientToken="t")["NetworkInterfaceId"] == one["NetworkInterfaceId"]
    assert refusal(create, cloud=cloud, ClientToken="t", Description="x")[0] == "IdempotentParameterMismatch"
    cloud.delete_network_interface(NetworkInterfaceId=one["NetworkInterfaceId"])
    assert create(cloud, ClientToken="t")["NetworkInterfaceId"] != one["NetworkInterfaceId"]


def test_every_filter_finds_what_is_shown(cloud):
    running = cloud.running()
    (shown,) = cloud.interfaces_of(running)
    other = create(cloud, Description="other")
    attachment, association = shown["Attachment"], shown["Association"]
    finds = {
        "addresses.association.owner-id": "amazon",
        "addresses.association.public-ip": association["PublicIp"],
        "addresses.private-ip-address": shown["PrivateIpAddress"],
        "association.public-dns-name": association["PublicDnsName"],
        "attachment.attachment-id": attachment["AttachmentId"],
        "attachment.delete-on-termination": "true",
        "attachment.device-index": "0",
        "attachment.instance-id": running,
        "attachment.instance-owner-id": ACCOUNT,
        "attachment.status": "attached",
        "mac-address": shown["MacAddress"],
        "private-dns-name": shown["PrivateDnsName"],
        "status": "in-use",
    }
    for name, value in finds.items():
        found = cloud.describe_network_interfaces(Filters=[{"Name": name, "Values": [value]}])
        ids = [one["NetworkInterfaceId"] for one in found["NetworkInterfaces"]]
        assert ids == [shown["NetworkInterfaceId"]], name
    both = {
        "availability-zone": "us-east-1a",
        "group-id": cloud.default_group(),
        "group-name": "default",
        "interface-type": "interface",
        "owner-id": ACCOUNT,
        "requester-managed": "false",
        "source-dest-check": "true",
        "subnet-id": cloud.default_subnet(),
        "vpc-id": cloud.default_vpc(),
    }
    for name, value in both.items():
        found = cloud.describe_network_interfaces(Filters=[{"Name": name, "Values": [value]}])
        assert len(found["NetworkInterfaces"]) == 2, name
    by_text = cloud.describe_network_interfaces(Filters=[{"Name": "description", "Values": ["oth*"]}])
    assert by_text["NetworkInterfaces"][0]["NetworkInterfaceId"] == other["NetworkInterfaceId"]


def test_pages_show_each_once(cloud):
    made = {create(cloud)["NetworkInterfaceId"] for _ in range(7)}
    first = cloud.describe_network_interfaces(MaxResults=5)
    rest = cloud.describe_network_interfaces(MaxResults=5, NextToken=first["NextToken"])
    ids = [one["NetworkInterfaceId"] for page in (first, rest) for one in page["NetworkInterfaces"]]
    assert (set(ids), len(ids), rest["NextToken"]) == (made, 7, None)


# --- attaching


def test_attach_and_detach_beside_a_running_instance(cloud):
    instance, eni = cloud.running(), create(cloud)["NetworkInterfaceId"]
    attachment = attached(cloud, instance, eni)
    shown = cloud.interface(eni)
    assert (shown["Status"], shown["Attachment"]["Status"]) == ("in-use", "attaching")
    cloud.settle()
    assert cloud.interface(eni)["Attachment"]["Status"] == "attached"
    assert len(cloud.instance(instance)["NetworkInterfaces"]) == 2
    cloud.detach_network_interface(AttachmentId=attachment)
    assert cloud.interface(eni)["Attachment"]["Status"] == "detaching"
    cloud.settle()
    assert "Attachment" not in cloud.interface(eni)
    assert cloud.interface(eni)["Status"] == "available"
    assert len(cloud.instance(instance)["NetworkInterfaces"]) == 1
    other = cloud.running()
    attached(cloud, other, eni)
    cloud.settle()
    assert cloud.interface(eni)["Attachment"]["InstanceId"] == other


def test_an_attached_interface_outlives_its_instance_unless_it_is_said(cloud):
    instance = cloud.running()
    kept, doomed = (create(cloud)["NetworkInterfaceId"] for _ in range(2))
    other = cloud.running()
    attached(cloud, instance, kept)
    attachment = attached(cloud, other, doomed)
    cloud.modify_network_interface_attribute(
        NetworkInterfaceId=doomed, Attachment={"AttachmentId": attachment, "DeleteOnTermination": True}
    )
    cloud.settle()
    cloud.terminate_instances(InstanceIds=[instance, other])
    cloud.settle()
    assert cloud.interface(kept)["Status"] == "available"
    assert refusal(cloud.interface, id=doomed)[0] == "InvalidNetworkInterfaceID.NotFound"
    assert len(cloud.describe_network_interfaces()["NetworkInterfaces"]) == 1


def test_what_cannot_be_attached_is_refused(cloud):
    instance, eni = cloud.running(), create(cloud)["NetworkInterfaceId"]
    (primary,) = cloud.interfaces_of(instance)

    def attach(index=1, interface=eni, instance=instance):
        return attached(cloud, instance, interface, index)

    assert refusal(attach, index=0) == (
        "InvalidParameterValue",
        f"Instance '{instance}' already has an interface attached at device index '0'.",
    )
    assert refusal(attach, interface=primary["NetworkInterfaceId"]) == (
        "InvalidNetworkInterface.InUse",
        f"Interface: [{primary['NetworkInterfaceId']}] in use.",
    )
    elsewhere = create(cloud, SubnetId=cloud.default_subnet("us-east-1b"))["NetworkInterfaceId"]
    assert refusal(attach, interface=elsewhere)[0] == "InvalidParameterCombination"
    attach()
    third = create(cloud)["NetworkInterfaceId"]
    assert refusal(attach, interface=third, index=2) == (
        "AttachmentLimitExceeded",
        "Interface count 3 exceeds the limit for t3.micro",
    )
    pending = cloud.run()
    assert refusal(attach, interface=third, instance=pending) == (
        "IncorrectState",
        f"Instance '{pending}' is not 'running' or 'stopped'.",
    )
    assert refusal(cloud.detach_network_interface, AttachmentId=primary["Attachment"]["AttachmentId"]) == (
        "OperationNotPermitted",
        "The network interface at device index 0 cannot be detached.",
    )
    assert refusal(cloud.detach_network_interface, AttachmentId="eni-attach-0123456789abcdef0")[0] == (
        "InvalidAttachmentID.NotFound"
    )


def test_an_instance_can_be_launched_with_one_that_is_there(cloud):
    eni = create(cloud)["NetworkInterfaceId"]
    instance = cloud.running(NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": eni}])
    assert [one["NetworkInterfaceId"] for one in cloud.interfaces_of(instance)] == [eni]
    again = [{"DeviceIndex": 0, "NetworkInterfaceId": eni}]
    assert refusal(cloud.run, NetworkInterfaces=again)[0] == "InvalidNetworkInterface.InUse"


def test_one_in_use_is_not_deleted(cloud):
    (primary,) = cloud.interfaces_of(cloud.running())
    id = primary["NetworkInterfaceId"]
    assert refusal(cloud.delete_network_interface, NetworkInterfaceId=id) == (
        "InvalidParameterValue",
        f"Network interface '{id}' is currently in use.",
    )


# --- attributes


def test_attributes_change_and_are_described(cloud):
    eni = create(cloud)["NetworkInterfaceId"]
    web = cloud.create_security_group(GroupName="web", Description="w")["GroupId"]

    def change(**asked):
        cloud.modify_network_interface_attribute(NetworkInterfaceId=eni, **asked)

    def attribute(name):
        return cloud.describe_network_interface_attribute(NetworkInterfaceId=eni, Attribute=name)

    change(Description={"Value": "new"})
    change(SourceDestCheck={"Value": False})
    change(Groups=[web])
    assert attribute("description")["Description"] == {"Value": "new"}
    assert attribute("sourceDestCheck")["SourceDestCheck"] == {"Value": False}
    assert attribute("groupSet")["Groups"] == [{"GroupId": web, "GroupName": "web"}]
    assert "Attachment" not in attribute("attachment")
    cloud.reset_network_interface_attribute(NetworkInterfaceId=eni)
    assert attribute("sourceDestCheck")["SourceDestCheck"] == {"Value": True}
    assert refusal(change)[0] == "MissingParameter"
    assert refusal(change, Groups=[web], Description={"Value": "x"}) == (
        "InvalidParameterCombination",
        "Fields for multiple attribute types specified",
    )
    assert refusal(change, Groups=[])[0] == "InvalidParameterValue"
    assert refusal(change, Groups=["sg-0123456789abcdef0"])[0] == "InvalidGroup.NotFound"
    with pytest.raises(NotBuilt):
        change(EnaSrdSpecification={"EnaSrdEnabled": True})


def test_the_automatic_address_can_be_switched_on_and_off(cloud):
    (primary,) = cloud.interfaces_of(cloud.running())
    id = primary["NetworkInterfaceId"]
    for wanted in (False, False, True, True):
        cloud.modify_network_interface_attribute(NetworkInterfaceId=id, AssociatePublicIpAddress=wanted)
        assert ("Association" in cloud.interface(id)) is wanted
    free = create(cloud)["NetworkInterfaceId"]
    asked = {"NetworkInterfaceId": free, "AssociatePublicIpAddress": True}
    assert refusal(cloud.modify_network_interface_attribute, **asked)[0] == "InvalidParameterValue"


# --- further addresses


def test_private_addresses_are_assigned_and_unassigned(cloud):
    eni = create(cloud)["NetworkInterfaceId"]
    answer = cloud.assign_private_ip_addresses(
        NetworkInterfaceId=eni, PrivateIpAddresses=["172.31.0.20", "172.31.0.21"]
    )
    assert answer["AssignedPrivateIpAddresses"] == [
        {"PrivateIpAddress": "172.31.0.20"},
        {"PrivateIpAddress": "172.31.0.21"},
    ]
    more = cloud.assign_private_ip_addresses(NetworkInterfaceId=eni, SecondaryPrivateIpAddressCount=2)
    assert len(more["AssignedPrivateIpAddresses"]) == 2
    cloud.unassign_private_ip_addresses(NetworkInterfaceId=eni, PrivateIpAddresses=["172.31.0.20"])
    held = [each["PrivateIpAddress"] for each in cloud.interface(eni)["PrivateIpAddresses"]]
    assert len(held) == 4
    assert "172.31.0.20" not in held
    assert refusal(cloud.unassign_private_ip_addresses, NetworkInterfaceId=eni, PrivateIpAddresses=held[:1])[
        0
    ] == ("InvalidParameterValue")
    assert refusal(
        cloud.unassign_private_ip_addresses, NetworkInterfaceId=eni, PrivateIpAddresses=["172.31.0.20"]
    ) == ("InvalidParameterValue", f"Some of the specified addresses are not assigned to interface {eni}")
    assert refusal(cloud.assign_private_ip_addresses, NetworkInterfaceId=eni)[0] == "MissingParameter"


def test_an_address_moves_only_where_that_is_allowed(cloud):
    one, two = (create(cloud)["NetworkInterfaceId"] for _ in range(2))
    address = ["172.31.0.20"]
    cloud.assign_private_ip_addresses(NetworkInterfaceId=one, PrivateIpAddresses=address)
    take = {"NetworkInterfaceId": two, "PrivateIpAddresses": address}
    assert refusal(cloud.assign_private_ip_addresses, **take)[0] == "InvalidIPAddress.InUse"
    cloud.assign_private_ip_addresses(**take, AllowReassignment=True)
    assert len(cloud.interface(one)["PrivateIpAddresses"]) == 1
    assert cloud.interface(two)["PrivateIpAddresses"][1]["PrivateIpAddress"] == "172.31.0.20"
    primary = [cloud.interface(one)["PrivateIpAddress"]]
    take = {"NetworkInterfaceId": two, "PrivateIpAddresses": primary, "AllowReassignment": True}
    assert refusal(cloud.assign_private_ip_addresses, **take)[0] == "InvalidIPAddress.InUse"


def test_an_instance_type_limits_the_addresses(cloud):
    (primary,) = cloud.interfaces_of(cloud.running())
    id = primary["NetworkInterfaceId"]
    cloud.assign_private_ip_addresses(NetworkInterfaceId=id, SecondaryPrivateIpAddressCount=1)
    assert refusal(
        cloud.assign_private_ip_addresses, NetworkInterfaceId=id, SecondaryPrivateIpAddressCount=1
    ) == ("PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit.")


def test_ipv6_addresses_are_assigned_and_unassigned(cloud):
    vpc = cloud.vpc(AmazonProvidedIpv6CidrBlock=True)
    block = cloud.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    subnet = cloud.subnet(vpc, Ipv6CidrBlock=block.replace("/56", "/64"))
    eni = create(cloud, SubnetId=subnet)["NetworkInterfaceId"]
    given = cloud.assign_ipv6_addresses(NetworkInterfaceId=eni, Ipv6AddressCount=2)["AssignedIpv6Addresses"]
    wanted = block.replace("::/56", "::77")
    assert cloud.assign_ipv6_addresses(NetworkInterfaceId=eni, Ipv6Addresses=[wanted])[
        "AssignedIpv6Addresses"
    ] == [wanted]
    shown = [each["Ipv6Address"] for each in cloud.interface(eni)["Ipv6Addresses"]]
    assert shown == [*given, wanted]
    cloud.unassign_ipv6_addresses(NetworkInterfaceId=eni, Ipv6Addresses=given)
    assert cloud.interface(eni)["Ipv6Address"] == wanted
    assert refusal(cloud.unassign_ipv6_addresses, NetworkInterfaceId=eni, Ipv6Addresses=given)[0] == (
        "InvalidParameterValue"
    )


# --- refusals


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"SubnetId": "here"}, "InvalidSubnetID.Malformed"),
        ({"Groups": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"PrivateIpAddress": "10.9.9.9"}, "InvalidParameterValue"),
        ({"PrivateIpAddress": "172.31.0.9", "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": "172.31.0.8"}]}, "InvalidParameterCombination"),
        ({"PrivateIpAddresses": [{"PrivateIpAddress": "172.31.0.8"}], "SecondaryPrivateIpAddressCount": 1}, "InvalidParameterCombination"),
        ({"Ipv6AddressCount": 1}, "InvalidParameterValue"),
        ({"Description": "x" * 256}, "InvalidParameterValue"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused(cloud, asked, code):
    assert refusal(create, cloud=cloud, **asked)[0] == code
    assert cloud.store.rows(NetworkInterface) == []


@pytest.mark.parametrize("member", ["Ipv4PrefixCount", "Ipv6PrefixCount"])
def test_what_is_not_built_says_so(cloud, member):
    with pytest.raises(NotBuilt, match=member):
        create(cloud, **{member: 1})


def test_unknown_ids_are_told(cloud):
    unknown = "eni-0123456789abcdef0"
    assert refusal(cloud.describe_network_interfaces, NetworkInterfaceIds=[unknown]) == (
        "InvalidNetworkInterfaceID.NotFound",
        f"The networkInterface ID '{unknown}' does not exist",
    )
    assert refusal(cloud.delete_network_interface, NetworkInterfaceId="x")[0] == (
        "InvalidNetworkInterfaceId.Malformed"
    )


def test_the_interface_of_a_nat_gateway_is_its_own(cloud):
    asked = {"SubnetId": cloud.default_subnet(), "AllocationId": cloud.allocate_address()["AllocationId"]}
    nat = cloud.create_nat_gateway(**asked)["NatGateway"]["NatGatewayId"]
    cloud.settle()
    (shown,) = cloud.describe_network_interfaces()["NetworkInterfaces"]
    id, attachment = shown["NetworkInterfaceId"], shown["Attachment"]
    assert (shown["InterfaceType"], shown["Status"], shown["SourceDestCheck"]) == (
        "nat_gateway",
        "in-use",
        False,
    )
    assert (shown["RequesterManaged"], attachment["InstanceOwnerId"]) == (True, "amazon-aws")
    managed = [{"Name": "requester-managed", "Values": ["true"]}]
    assert len(cloud.describe_network_interfaces(Filters=managed)["NetworkInterfaces"]) == 1
    assert refusal(cloud.detach_network_interface, AttachmentId=attachment["AttachmentId"]) == (
        "OperationNotPermitted",
        "You are not allowed to manage 'ela-attach' attachments.",
    )
    assert refusal(cloud.delete_network_interface, NetworkInterfaceId=id)[0] == "InvalidParameterValue"
    denied = {"NetworkInterfaceId": id, "SourceDestCheck": {"Value": True}}
    assert refusal(cloud.modify_network_interface_attribute, **denied)[0] == "AuthFailure"
    association = shown["Association"]["AssociationId"]
    assert refusal(cloud.disassociate_address, AssociationId=association)[0] == "AuthFailure"
    other = {"AllocationId": cloud.allocate_address()["AllocationId"], "NetworkInterfaceId": id}
    assert refusal(cloud.associate_address, **other)[0] == "AuthFailure"
    cloud.delete_nat_gateway(NatGatewayId=nat)
    cloud.settle()
    assert cloud.describe_network_interfaces()["NetworkInterfaces"] == []
    assert all("AssociationId" not in one for one in cloud.describe_addresses()["Addresses"])
