"""Network ACLs: what they are born with, their entries, and that every subnet has exactly one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ec2.vpc.world import ACCOUNT, World, refusal

from cloudstead.services.ec2.network_rows import NetworkAcl, Subnet


@pytest.fixture
def world():
    return World()


def create(world, vpc):
    return world.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]


def described(world, id):
    (acl,) = world.describe_network_acls(NetworkAclIds=[id])["NetworkAcls"]
    return acl


def of_vpc(world, vpc):
    return world.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]


def entry(acl, number=100, **more):
    asked = {"Egress": False, "Protocol": "-1", "RuleAction": "allow", "CidrBlock": "0.0.0.0/0", **more}
    return {"NetworkAclId": acl, "RuleNumber": number, **asked}


def shown(number, action, cidr="0.0.0.0/0", egress=False):
    member = "Ipv6CidrBlock" if ":" in cidr else "CidrBlock"
    return {"RuleNumber": number, "Egress": egress, "RuleAction": action, "Protocol": "-1", member: cidr}


LAST = [shown(32767, "deny", egress=True), shown(32767, "deny")]


def test_a_vpc_is_born_with_one_that_lets_everything_through(world):
    (acl,) = of_vpc(world, world.vpc())
    assert (acl["IsDefault"], acl["OwnerId"], acl["Associations"]) == (True, ACCOUNT, [])
    assert acl["Entries"] == [
        shown(100, "allow", egress=True),
        shown(32767, "deny", egress=True),
        shown(100, "allow"),
        shown(32767, "deny"),
    ]


def test_with_ipv6_it_lets_that_through_too(world):
    vpc = world.vpc()
    world.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    (acl,) = of_vpc(world, vpc)
    ingress = [each for each in acl["Entries"] if not each["Egress"]]
    assert ingress == [
        shown(100, "allow"),
        shown(101, "allow", "::/0"),
        shown(32767, "deny"),
        shown(32768, "deny", "::/0"),
    ]
    (born,) = of_vpc(world, world.vpc("10.1.0.0/16", AmazonProvidedIpv6CidrBlock=True))
    assert born["Entries"] == acl["Entries"]


def test_a_default_one_that_was_changed_stays_as_it_is(world):
    vpc = world.vpc()
    (acl,) = of_vpc(world, vpc)
    world.delete_network_acl_entry(NetworkAclId=acl["NetworkAclId"], RuleNumber=100, Egress=False)
    world.associate_vpc_cidr_block(VpcId=vpc, AmazonProvidedIpv6CidrBlock=True)
    (now,) = of_vpc(world, vpc)
    assert [each["RuleNumber"] for each in now["Entries"]] == [100, 32767, 32768, 32767, 32768]


def test_a_new_one_lets_nothing_through(world):
    tags = [{"ResourceType": "network-acl", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = world.create_network_acl(VpcId=world.vpc(), TagSpecifications=tags)["NetworkAcl"]
    assert (made["IsDefault"], made["Entries"], made["Associations"]) == (False, LAST, [])
    assert made["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_client_token_makes_one(world):
    asked = {"VpcId": world.vpc(), "ClientToken": "t"}
    one = world.create_network_acl(**asked)
    assert world.create_network_acl(**asked) == one
    assert one["ClientToken"] == "t"
    assert len(world.store.rows(NetworkAcl)) == 2


# --- subnets


def test_a_subnet_has_the_default_one_from_birth_and_takes_it_along(world):
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    (acl,) = of_vpc(world, vpc)
    (association,) = acl["Associations"]
    assert (association["SubnetId"], association["NetworkAclId"]) == (subnet, acl["NetworkAclId"])
    world.delete_subnet(SubnetId=subnet)
    assert of_vpc(world, vpc)[0]["Associations"] == []


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_every_subnet_has_exactly_one_wherever_it_is_put(moves):
    world = World()
    vpc = world.vpc()
    subnets = [world.subnet(vpc, f"10.0.{number}.0/24") for number in range(3)]
    (default,) = of_vpc(world, vpc)
    acls = [default["NetworkAclId"], create(world, vpc), create(world, vpc)]
    expected = dict.fromkeys(subnets, acls[0])
    for number, target in moves:
        found = [each for acl in of_vpc(world, vpc) for each in acl["Associations"]]
        (now,) = (each for each in found if each["SubnetId"] == subnets[number])
        answer = world.replace_network_acl_association(
            AssociationId=now["NetworkAclAssociationId"], NetworkAclId=acls[target]
        )
        assert answer["NewAssociationId"] != now["NetworkAclAssociationId"]
        expected[subnets[number]] = acls[target]
    found = [each for acl in of_vpc(world, vpc) for each in acl["Associations"]]
    assert {each["SubnetId"]: each["NetworkAclId"] for each in found} == expected
    assert len(found) == len(world.store.rows(Subnet))


def test_associations_stay_in_their_network(world):
    vpc = world.vpc()
    world.subnet(vpc)
    (association,) = of_vpc(world, vpc)[0]["Associations"]
    elsewhere = create(world, world.vpc("10.1.0.0/16"))
    asked = {"AssociationId": association["NetworkAclAssociationId"], "NetworkAclId": elsewhere}
    assert refusal(world.replace_network_acl_association, **asked)[0] == "InvalidParameterValue"
    asked["AssociationId"] = "aclassoc-0123456789abcdef0"
    assert refusal(world.replace_network_acl_association, **asked) == (
        "InvalidAssociationID.NotFound",
        "The association ID 'aclassoc-0123456789abcdef0' does not exist",
    )


def test_one_in_use_and_the_default_one_are_not_deleted(world):
    vpc = world.vpc()
    world.subnet(vpc)
    (default,) = of_vpc(world, vpc)
    acl = create(world, vpc)
    association = default["Associations"][0]["NetworkAclAssociationId"]
    world.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)
    for id in (acl, default["NetworkAclId"]):
        assert refusal(world.delete_network_acl, NetworkAclId=id) == (
            "DependencyViolation",
            f"The networkAcl '{id}' has dependencies and cannot be deleted.",
        )
    unused = create(world, vpc)
    world.delete_network_acl(NetworkAclId=unused)
    assert refusal(world.delete_network_acl, NetworkAclId=unused) == (
        "InvalidNetworkAclID.NotFound",
        f"The networkAcl ID '{unused}' does not exist",
    )


# --- entries


def test_entries_are_made_replaced_and_deleted(world):
    acl = create(world, world.vpc())
    ports = {"Protocol": "tcp", "PortRange": {"From": 22, "To": 23}}
    world.create_network_acl_entry(**entry(acl, 200, **ports, CidrBlock="10.9.9.9/8"))
    world.create_network_acl_entry(**entry(acl, 100, Protocol="1", IcmpTypeCode={"Type": 8, "Code": -1}))
    first, second, last = [each for each in described(world, acl)["Entries"] if not each["Egress"]]
    assert (first["RuleNumber"], first["Protocol"], first["IcmpTypeCode"]) == (
        100,
        "1",
        {"Type": 8, "Code": -1},
    )
    assert second == {
        "RuleNumber": 200,
        "Egress": False,
        "RuleAction": "allow",
        "Protocol": "6",
        "CidrBlock": "10.0.0.0/8",
        "PortRange": {"From": 22, "To": 23},
    }
    assert last == LAST[1]
    world.replace_network_acl_entry(**entry(acl, 200, RuleAction="deny", CidrBlock="1.0.0.0/8"))
    assert described(world, acl)["Entries"][2] == shown(200, "deny", "1.0.0.0/8")
    for number in (100, 200):
        world.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=number, Egress=False)
    assert described(world, acl)["Entries"] == LAST


def test_a_number_is_taken_once_in_each_direction(world):
    acl = create(world, world.vpc())
    world.create_network_acl_entry(**entry(acl))
    assert refusal(world.create_network_acl_entry, **entry(acl)) == (
        "NetworkAclEntryAlreadyExists",
        "The network acl entry identified by 100 already exists.",
    )
    world.create_network_acl_entry(**entry(acl, Egress=True))
    gone = {"NetworkAclId": acl, "RuleNumber": 7, "Egress": True}
    assert refusal(world.delete_network_acl_entry, **gone)[0] == "InvalidNetworkAclEntry.NotFound"
    assert refusal(world.replace_network_acl_entry, **entry(acl, 7))[0] == "InvalidNetworkAclEntry.NotFound"


def test_there_are_twenty_in_each_direction(world):
    acl = create(world, world.vpc())
    for number in range(1, 21):
        world.create_network_acl_entry(**entry(acl, number))
    assert refusal(world.create_network_acl_entry, **entry(acl, 21))[0] == "NetworkAclEntryLimitExceeded"
    world.create_network_acl_entry(**entry(acl, 21, Egress=True))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"RuleNumber": 0}, "InvalidParameterValue"),
        ({"RuleNumber": 32767}, "InvalidParameterValue"),
        ({"Protocol": "256"}, "InvalidParameterValue"),
        ({"Protocol": "xyz"}, "InvalidParameterValue"),
        ({"Protocol": "6"}, "MissingParameter"),
        ({"Protocol": "17", "PortRange": {"From": 2, "To": 1}}, "InvalidParameterValue"),
        ({"Protocol": "1"}, "MissingParameter"),
        ({"Protocol": "1", "IcmpTypeCode": {"Type": 256, "Code": 0}}, "InvalidParameterValue"),
        ({"CidrBlock": "10.0.0.0"}, "InvalidParameterValue"),
        ({"Ipv6CidrBlock": "::/0"}, "InvalidParameterCombination"),
        ({"CidrBlock": ""}, "MissingParameter"),
        ({"NetworkAclId": "acl-0123456789abcdef0"}, "InvalidNetworkAclID.NotFound"),
    ],
)
def test_what_is_no_entry_is_refused(world, asked, code):
    acl = create(world, world.vpc())
    assert refusal(world.create_network_acl_entry, **{**entry(acl), **asked})[0] == code
    assert described(world, acl)["Entries"] == LAST


def test_filters_look_into_entries_and_associations(world):
    vpc = world.vpc()
    subnet, acl = world.subnet(vpc), create(world, vpc)
    ports = {"Protocol": "6", "PortRange": {"From": 22, "To": 23}}
    world.create_network_acl_entry(**entry(acl, 77, **ports, CidrBlock="10.0.0.0/8", RuleAction="deny"))
    finds = {
        "entry.cidr": "10.0.0.0/8",
        "entry.port-range.from": "22",
        "entry.port-range.to": "23",
        "entry.protocol": "6",
        "entry.rule-number": "77",
        "default": "false",
        "network-acl-id": acl,
    }
    for name, value in finds.items():
        found = world.describe_network_acls(Filters=[{"Name": name, "Values": [value]}])["NetworkAcls"]
        assert [each["NetworkAclId"] for each in found] == [acl], name
    by_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (found,) = world.describe_network_acls(Filters=by_subnet)["NetworkAcls"]
    assert found["IsDefault"]
    by_action = [{"Name": "entry.rule-action", "Values": ["deny"]}]
    assert len(world.describe_network_acls(Filters=by_action)["NetworkAcls"]) == 2
