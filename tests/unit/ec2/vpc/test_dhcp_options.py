"""Sets of DHCP options: what they may hold, and that a VPC keeps its set."""

import pytest
from tests.unit.ec2.vpc.world import World, refusal


def options(*configurations):
    return [{"Key": key, "Values": list(values)} for key, values in configurations]


def created(world, *configurations):
    asked = options(*(configurations or [("domain-name", ["example.com"])]))
    return world.create_dhcp_options(DhcpConfigurations=asked)["DhcpOptions"]["DhcpOptionsId"]


def test_a_set_is_shown_as_it_was_made():
    world = World()
    id = created(world, ("domain-name", ["example.com"]), ("ntp-servers", ["10.0.0.5", "10.0.0.6"]))
    (shown,) = world.describe_dhcp_options(DhcpOptionsIds=[id])["DhcpOptions"]
    assert shown["DhcpConfigurations"] == [
        {"Key": "domain-name", "Values": [{"Value": "example.com"}]},
        {"Key": "ntp-servers", "Values": [{"Value": "10.0.0.5"}, {"Value": "10.0.0.6"}]},
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        [("no-such-option", ["x"])],
        [("domain-name", ["a", "b"])],
        [("domain-name-servers", [])],
        [("domain-name-servers", ["1.1.1.1", "2.2.2.2", "3.3.3.3", "4.4.4.4", "5.5.5.5"])],
        [("domain-name-servers", ["dns.example.com"])],
        [("ntp-servers", ["AmazonProvidedDNS"])],
        [("netbios-node-type", ["3"])],
        [("domain-name", ["a"]), ("domain-name", ["b"])],
    ],
)
def test_what_no_set_can_hold_is_refused(wrong):
    code, _ = refusal(World().create_dhcp_options, DhcpConfigurations=options(*wrong))
    assert code == "InvalidParameterValue"


def test_a_vpc_keeps_its_set_until_it_takes_another_or_none():
    world = World()
    vpc, id = world.vpc(), created(world)
    world.associate_dhcp_options(VpcId=vpc, DhcpOptionsId=id)
    assert refusal(world.delete_dhcp_options, DhcpOptionsId=id) == (
        "DependencyViolation",
        f"The dhcpOptions '{id}' has dependencies and cannot be deleted.",
    )
    world.associate_dhcp_options(VpcId=vpc, DhcpOptionsId="default")
    assert world.describe_vpcs()["Vpcs"][0]["DhcpOptionsId"] == "default"
    world.delete_dhcp_options(DhcpOptionsId=id)
    gone = {"VpcId": vpc, "DhcpOptionsId": id}
    assert refusal(world.associate_dhcp_options, **gone)[0] == "InvalidDhcpOptionID.NotFound"


def test_sets_are_found_by_key_and_value():
    world = World()
    id = created(world, ("domain-name", ["example.com"]))
    created(world, ("domain-name", ["example.org"]))
    filters = [{"Name": "key", "Values": ["domain-name"]}, {"Name": "value", "Values": ["*.com"]}]
    found = world.describe_dhcp_options(Filters=filters)["DhcpOptions"]
    assert [one["DhcpOptionsId"] for one in found] == [id]
