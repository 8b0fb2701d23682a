"""Resolver endpoints: what may be asked for, and how they come to work and go."""

import asyncio

import pytest
from tests.support.api import refusal

from cloudstead.services.ec2.network_rows import NetworkInterface


def addresses(api, endpoint):
    return api.list_resolver_endpoint_ip_addresses(ResolverEndpointId=endpoint["Id"])["IpAddresses"]


def status(api, endpoint):
    return api.get_resolver_endpoint(ResolverEndpointId=endpoint["Id"])["ResolverEndpoint"]["Status"]


def test_an_endpoint_is_operational_once_its_network_carries_it_and_it_listens(world, api, vpc):
    made = world.endpoint(vpc, "INBOUND", Name="in")
    assert (made["Status"], made["IpAddressCount"], made["HostVPCId"]) == ("CREATING", 2, vpc.id)
    assert made["Arn"].endswith(f":resolver-endpoint/{made['Id']}")
    assert made["Id"].startswith("rslvr-in-")
    assert {each["Status"] for each in addresses(api, made)} == {"CREATING"}
    world.settle()
    shown = api.get_resolver_endpoint(ResolverEndpointId=made["Id"])["ResolverEndpoint"]
    assert (shown["Status"], shown["StatusMessage"]) == (
        "OPERATIONAL",
        "This Resolver Endpoint is operational.",
    )
    assert {each["Status"] for each in addresses(api, made)} == {"ATTACHED"}
    listens = {address for each in world.inbound._listening.values() for address in each.addresses}
    assert listens == {each["Ip"] for each in addresses(api, made)}


def test_after_a_restart_it_listens_again(world, vpc):
    world.endpoint(vpc, "INBOUND")
    world.settle()
    before = [each.addresses for each in world.inbound._listening.values()]
    asyncio.run(world.inbound.stop())
    assert world.inbound._listening == {}
    world.settle()
    assert [each.addresses for each in world.inbound._listening.values()] == before


def test_its_interfaces_are_seen_in_ec2_and_are_nobody_else_s(world, api, vpc):
    made = world.endpoint(vpc)
    shown = world.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc.id]}])[
        "NetworkInterfaces"
    ]
    assert {one["PrivateIpAddress"] for one in shown} == {each["Ip"] for each in addresses(api, made)}
    for one in shown:
        assert one["RequesterManaged"]
        assert (one["InterfaceType"], one["Status"]) == ("interface", "in-use")
        assert one["Description"].startswith(f"Route 53 Resolver: {made['Id']}:rni-")
        assert [group["GroupId"] for group in one["Groups"]] == [vpc.group]
        assert refusal(world.ec2.delete_network_interface, NetworkInterfaceId=one["NetworkInterfaceId"])[
            0
        ] == ("InvalidParameterValue")


def test_an_endpoint_that_is_deleted_takes_its_interfaces_along(world, api, vpc):
    made = world.endpoint(vpc, "INBOUND")
    world.settle()
    gone = api.delete_resolver_endpoint(ResolverEndpointId=made["Id"])["ResolverEndpoint"]
    assert gone["Status"] == "DELETING"
    assert world.store.rows(NetworkInterface)
    world.settle()
    assert world.store.rows(NetworkInterface) == []
    assert world.inbound._listening == {}
    assert refusal(api.get_resolver_endpoint, ResolverEndpointId=made["Id"])[0] == "ResourceNotFoundException"


def test_addresses_come_and_go_but_two_stay(world, api, vpc):
    made = world.endpoint(vpc, "INBOUND")
    world.settle()
    more = {"SubnetId": vpc.subnets[0], "Ip": "10.0.0.77"}
    shown = api.associate_resolver_endpoint_ip_address(ResolverEndpointId=made["Id"], IpAddress=more)
    assert (shown["ResolverEndpoint"]["Status"], shown["ResolverEndpoint"]["IpAddressCount"]) == (
        "UPDATING",
        3,
    )
    world.settle()
    assert status(api, made) == "OPERATIONAL"
    first = addresses(api, made)[0]
    api.disassociate_resolver_endpoint_ip_address(
        ResolverEndpointId=made["Id"], IpAddress={"IpId": first["IpId"]}
    )
    world.settle()
    left = addresses(api, made)
    assert first["Ip"] not in {each["Ip"] for each in left}
    assert "10.0.0.77" in {each["Ip"] for each in left}
    (listens,) = (each.addresses for each in world.inbound._listening.values())
    assert set(listens) == {each["Ip"] for each in left}
    refused = refusal(
        api.disassociate_resolver_endpoint_ip_address,
        ResolverEndpointId=made["Id"],
        IpAddress={"IpId": left[0]["IpId"]},
    )
    assert refused == ("InvalidRequestException", "Resolver endpoint must have at least 2 IP addresses")


def test_an_endpoint_of_both_kinds_listens_on_ipv6_too_and_may_become_so_later(world, api):
    vpc = world.vpc(ipv6=True)
    vpc.subnets = [vpc.subnets[0]] * 2
    made = world.endpoint(vpc, "INBOUND")
    world.settle()
    assert all("Ipv6" not in each for each in addresses(api, made))
    changed = api.update_resolver_endpoint(
        ResolverEndpointId=made["Id"], ResolverEndpointType="DUALSTACK", Name="both"
    )["ResolverEndpoint"]
    assert (changed["ResolverEndpointType"], changed["Name"], changed["Status"]) == (
        "DUALSTACK",
        "both",
        "UPDATING",
    )
    world.settle()
    assert status(api, made) == "OPERATIONAL"
    (listens,) = (each.addresses for each in world.inbound._listening.values())
    assert set(listens) == {each[kind] for each in addresses(api, made) for kind in ("Ip", "Ipv6")}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"IpAddresses": [{"SubnetId": "subnet-00000000000000000"}] * 2}, "InvalidParameterException"),
        ({"SecurityGroupIds": ["sg-00000000000000000"]}, "InvalidParameterException"),
        ({"Protocols": ["DoH"]}, "NotImplemented"),
        ({"Direction": "INBOUND_DELEGATION"}, "NotImplemented"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(world, vpc, asked, code):
    assert refusal(world.endpoint, vpc=vpc, **asked)[0] == code
    assert world.store.rows(NetworkInterface) == []


def test_one_address_is_too_few_seven_are_too_many_and_one_outside_of_the_subnet_is_none(world, vpc):
    def of(count):
        return refusal(world.endpoint, vpc=vpc, IpAddresses=[{"SubnetId": vpc.subnets[0]}] * count)

    assert of(1)[0] == "ValidationException"
    assert of(7)[0] == "LimitExceededException"
    outside = [{"SubnetId": vpc.subnets[0], "Ip": "10.0.9.9"}, {"SubnetId": vpc.subnets[1]}]
    code, text = refusal(world.endpoint, vpc=vpc, IpAddresses=outside)
    assert code == "InvalidParameterException"
    assert text.startswith("[RSLVR-00405] IP address '10.0.9.9' is either not in subnet")


def test_all_subnets_are_of_one_vpc(world, vpc):
    other = world.vpc("10.1.0.0/16")
    mixed = [{"SubnetId": vpc.subnets[0]}, {"SubnetId": other.subnets[0]}]
    assert refusal(world.endpoint, vpc=vpc, IpAddresses=mixed)[0] == "InvalidParameterException"


def test_a_creator_s_id_makes_one_endpoint_and_an_account_has_four(world, vpc):
    world.endpoint(vpc, token="a")
    assert refusal(world.endpoint, vpc=vpc, token="a")[0] == "ResourceExistsException"
    for token in "bcd":
        world.endpoint(vpc, token=token)
    assert refusal(world.endpoint, vpc=vpc, token="e")[0] == "LimitExceededException"


def test_endpoints_are_listed_by_filters_and_in_pages(world, api, stranger, vpc):
    first = world.endpoint(vpc, "INBOUND")
    second = world.endpoint(vpc, "OUTBOUND")

    def listed(**filters):
        found = api.list_resolver_endpoints(
            Filters=[{"Name": name, "Values": [value]} for name, value in filters.items()]
        )
        return [each["Id"] for each in found["ResolverEndpoints"]]

    assert listed() == [first["Id"], second["Id"]]
    assert listed(Direction="OUTBOUND") == [second["Id"]]
    assert listed(HostVPCId="vpc-0") == []
    assert listed(SecurityGroupIds=vpc.group, Status="CREATING") == [first["Id"], second["Id"]]
    pages = api.every("list_resolver_endpoints", PaginationConfig={"PageSize": 1})
    assert [each["Id"] for page in pages for each in page["ResolverEndpoints"]] == listed()
    assert refusal(api.list_resolver_endpoints, Filters=[{"Name": "Colour", "Values": ["red"]}])[0] == (
        "InvalidParameterException"
    )
    assert stranger.list_resolver_endpoints()["ResolverEndpoints"] == []
    assert refusal(stranger.get_resolver_endpoint, ResolverEndpointId=first["Id"])[0] == (
        "ResourceNotFoundException"
    )
