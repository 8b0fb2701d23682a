"""Security group rules: every way to say them, what is the same rule, what is refused and in which words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ec2.vpc.cloud import Cloud
from tests.unit.ec2.vpc.test_security_groups import create, described, tcp
from tests.unit.ec2.vpc.world import ACCOUNT, refusal

from cloudstead.services.ec2.network_rows import SecurityGroupRule


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
def web(cloud):
    return create(cloud)


def allow(cloud, group, *permissions, **more):
    return cloud.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions), **more)


def ingress(cloud, group):
    return described(cloud, group)["IpPermissions"]


def rules(cloud, group):
    found = cloud.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return [rule for rule in found["SecurityGroupRules"] if not rule["IsEgress"]]


# --- authorizing


def test_each_peer_becomes_a_rule_and_is_shown_together_again(cloud, web):
    db = create(cloud, "db")
    plist = cloud.create_managed_prefix_list(PrefixListName="p", AddressFamily="IPv4", MaxEntries=2)
    plist = plist["PrefixList"]["PrefixListId"]
    asked = {
        "IpProtocol": "tcp",
        "FromPort": 80,
        "ToPort": 81,
        "UserIdGroupPairs": [{"GroupId": db}],
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "ten"}, {"CidrIp": "11.0.0.0/8"}],
        "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}],
        "PrefixListIds": [{"PrefixListId": plist}],
    }
    answer = allow(cloud, web, asked)
    assert answer["Return"] is True
    assert len(answer["SecurityGroupRules"]) == 5
    asked["UserIdGroupPairs"] = [{"UserId": ACCOUNT, "GroupId": db}]
    assert ingress(cloud, web) == [asked]
    assert rules(cloud, web) == answer["SecurityGroupRules"]


def test_a_rule_by_itself_is_complete(cloud, web):
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "a", "Value": "b"}]}]
    ten = {"IpRanges": [{"CidrIp": "10.1.2.3/8", "Description": "ten"}]}
    (rule,) = allow(
        cloud, web, {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **ten}, TagSpecifications=tags
    )["SecurityGroupRules"]
    id = rule["SecurityGroupRuleId"]
    assert rule == {
        "SecurityGroupRuleId": id,
        "GroupId": web,
        "GroupOwnerId": ACCOUNT,
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "CidrIpv4": "10.0.0.0/8",
        "Description": "ten",
        "Tags": [{"Key": "a", "Value": "b"}],
        "SecurityGroupRuleArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group-rule/{id}",
    }


def test_all_traffic_has_no_ports_in_permissions_and_minus_one_in_rules(cloud, web):
    allow(
        cloud, web, {"IpProtocol": "-1", "FromPort": 5, "ToPort": 6, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    )
    (permission,) = ingress(cloud, web)
    assert "FromPort" not in permission
    (rule,) = rules(cloud, web)
    assert (rule["FromPort"], rule["ToPort"]) == (-1, -1)


def test_one_permission_can_be_said_without_a_list(cloud, web):
    cloud.authorize_security_group_ingress(
        GroupName="web", IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    assert ingress(cloud, web) == [{**tcp(22), "UserIdGroupPairs": [], "Ipv6Ranges": [], "PrefixListIds": []}]
    gone = cloud.revoke_security_group_ingress(
        GroupId=web, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    assert [rule["CidrIpv4"] for rule in gone["RevokedSecurityGroupRules"]] == ["0.0.0.0/0"]
    assert ingress(cloud, web) == []


def test_a_source_group_by_name_gives_it_all_of_tcp_udp_and_icmp(cloud, web):
    db = create(cloud, "db")
    cloud.authorize_security_group_ingress(GroupId=web, SourceSecurityGroupName="db")
    shown = [(rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) for rule in rules(cloud, web)]
    assert shown == [("tcp", 0, 65535), ("udp", 0, 65535), ("icmp", -1, -1)]
    assert {rule["ReferencedGroupInfo"]["GroupId"] for rule in rules(cloud, web)} == {db}
    asked = {"GroupId": web, "SourceSecurityGroupName": "db", "IpProtocol": "tcp"}
    assert refusal(cloud.authorize_security_group_ingress, **asked)[0] == "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("6", "tcp"),
        ("17", "udp"),
        ("1", "icmp"),
        ("58", "icmpv6"),
        ("TCP", "tcp"),
        ("all", "-1"),
        ("050", "50"),
    ],
)
def test_protocols_have_one_name_each(cloud, web, asked, shown):
    ports = {"FromPort": 1, "ToPort": 1}
    allow(cloud, web, {"IpProtocol": asked, **ports, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]})
    assert rules(cloud, web)[0]["IpProtocol"] == shown


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"IpProtocol": "tcp", "FromPort": 22, "ToPort": 23}, "TCP, from port: 22, to port: 23, ALLOW"),
        ({"IpProtocol": "-1"}, "ALL, ALLOW"),
        ({"IpProtocol": "50"}, "protocol: 50, ALLOW"),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, "ICMP, type: 8, code: ALL, ALLOW"),
    ],
)
def test_what_permits_the_same_is_the_same_rule(cloud, web, asked, words):
    asked["IpRanges"] = [{"CidrIp": "10.0.0.0/8"}]
    allow(cloud, web, asked)
    asked["IpRanges"] = [{"CidrIp": "10.9.9.9/8", "Description": "in other words"}]
    assert refusal(lambda: allow(cloud, web, tcp(1), asked)) == (
        "InvalidPermission.Duplicate",
        f'the specified rule "peer: 10.0.0.0/8, {words}" already exists',
    )
    assert len(rules(cloud, web)) == 1


def test_twice_in_one_request_is_refused(cloud, web):
    assert refusal(lambda: allow(cloud, web, tcp(22), tcp(22))) == (
        "InvalidParameterValue",
        "The same permission must not appear multiple times",
    )


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"IpProtocol": "tcp"}, "InvalidParameterValue", "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange."),
        ({"IpProtocol": "tcp", "FromPort": 23, "ToPort": 22}, "InvalidParameterValue", "Invalid TCP/UDP port range (23:22)"),
        ({"IpProtocol": "udp", "FromPort": 0, "ToPort": 65536}, "InvalidParameterValue", "TCP/UDP port (65536) out of range"),
        ({"IpProtocol": "xyz"}, "InvalidParameterValue", "Invalid value 'xyz' for IP protocol. Unknown protocol."),
        ({"IpProtocol": "256"}, "InvalidParameterValue", "Invalid value '256' for IP protocol. Unknown protocol."),
        ({"IpProtocol": "icmp", "FromPort": 256, "ToPort": -1}, "InvalidParameterValue", "ICMP type (256) out of range"),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": 3}, "InvalidParameterValue", None),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.1"}]}, "InvalidParameterValue", "CIDR block 10.0.0.1 is malformed"),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "::/0"}]}, "InvalidParameterValue", "CIDR block ::/0 is malformed"),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "1.0.0.0/8", "Description": "ä"}]}, "InvalidParameterValue", None),
        ({"IpProtocol": "-1", "IpRanges": []}, "MissingParameter", None),
        ({"IpRanges": [{"CidrIp": "1.0.0.0/8"}], "IpProtocol": None}, "MissingParameter", "The request must contain the parameter ipProtocol"),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-0123456789abcdef0"}]}, "InvalidGroup.NotFound", "The security group 'sg-0123456789abcdef0' does not exist"),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupName": "none"}]}, "InvalidGroup.NotFound", None),
        ({"IpProtocol": "-1", "UserIdGroupPairs": [{"UserId": "999999999999", "GroupId": "sg-1"}]}, "InvalidGroup.NotFound", None),
        ({"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}]}, "InvalidPrefixListID.NotFound", None),
    ],
)  # fmt: skip
def test_what_is_no_permission_is_refused(cloud, web, asked, code, message):
    said = refusal(lambda: allow(cloud, web, {"IpRanges": [{"CidrIp": "1.0.0.0/8"}], **asked}))
    assert said[0] == code
    assert message in (None, said[1])
    assert rules(cloud, web) == []


def test_a_group_of_another_network_is_no_peer(cloud, web):
    elsewhere = create(cloud, VpcId=cloud.vpc())
    asked = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": elsewhere}]}
    assert refusal(lambda: allow(cloud, web, asked)) == (
        "InvalidGroup.NotFound",
        "You have specified two resources that belong to different networks.",
    )


def test_a_group_has_sixty_rules_in_each_direction_and_family(cloud, web):
    sixty = [tcp(port) for port in range(1, 61)]
    allow(cloud, web, *sixty)
    full = (
        "RulesPerSecurityGroupLimitExceeded",
        "The maximum number of rules per security group has been reached.",
    )
    assert refusal(lambda: allow(cloud, web, tcp(61))) == full
    six = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    allow(cloud, web, six)
    other = create(cloud, "other")
    peer = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}]}
    assert refusal(lambda: allow(cloud, web, peer)) == full
    cloud.authorize_security_group_egress(GroupId=web, IpPermissions=sixty[:59])
    assert refusal(cloud.authorize_security_group_egress, GroupId=web, IpPermissions=[tcp(60)]) == full
    plist = cloud.create_managed_prefix_list(PrefixListName="p", AddressFamily="IPv4", MaxEntries=61)
    lists = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": plist["PrefixList"]["PrefixListId"]}]}
    assert refusal(lambda: allow(cloud, other, lists)) == full


# --- revoking


def test_what_was_not_there_is_told_or_refused_as_the_vpc_is(cloud, web):
    allow(cloud, web, tcp(22))
    answer = cloud.revoke_security_group_ingress(GroupId=web, IpPermissions=[tcp(22), tcp(23)])
    assert [rule["FromPort"] for rule in answer["RevokedSecurityGroupRules"]] == [22]
    assert answer["UnknownIpPermissions"] == [tcp(23)]
    other = create(cloud, VpcId=cloud.vpc())
    allow(cloud, other, tcp(22))
    assert refusal(cloud.revoke_security_group_ingress, GroupId=other, IpPermissions=[tcp(22), tcp(23)]) == (
        "InvalidPermission.NotFound",
        "The specified rule does not exist in this security group.",
    )
    assert len(rules(cloud, other)) == 1


def test_rules_go_by_their_ids(cloud, web):
    made = allow(cloud, web, tcp(22), tcp(23))["SecurityGroupRules"]
    ids = [rule["SecurityGroupRuleId"] for rule in made]
    cloud.revoke_security_group_ingress(GroupId=web, SecurityGroupRuleIds=ids[:1])
    assert [rule["SecurityGroupRuleId"] for rule in rules(cloud, web)] == ids[1:]
    gone = {"GroupId": web, "SecurityGroupRuleIds": ids[:1]}
    assert refusal(cloud.revoke_security_group_ingress, **gone) == (
        "InvalidSecurityGroupRuleId.NotFound",
        f"The security group rule ID '{ids[0]}' does not exist",
    )
    wrong_side = {"GroupId": web, "SecurityGroupRuleIds": ids[1:]}
    assert refusal(cloud.revoke_security_group_egress, **wrong_side)[0] == (
        "InvalidSecurityGroupRuleId.NotFound"
    )
    others = {"GroupId": create(cloud, "db"), "SecurityGroupRuleIds": ids[1:]}
    assert refusal(cloud.revoke_security_group_ingress, **others)[0] == "InvalidSecurityGroupRuleId.NotFound"


def test_a_group_can_be_closed_entirely(cloud, web):
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    cloud.revoke_security_group_egress(GroupId=web, IpPermissions=[everything])
    assert described(cloud, web)["IpPermissionsEgress"] == []
    assert refusal(cloud.revoke_security_group_ingress, GroupId=web)[0] == "MissingParameter"


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 6), st.sampled_from(["10.0.0.0/8", "11.0.0.0/8"])),
        max_size=20,
    )
)
def test_rules_are_what_was_authorized_and_not_revoked(steps):
    cloud = Cloud()
    web, expected = create(cloud), set()
    for authorize, port, cidr in steps:
        if authorize and (port, cidr) not in expected:
            allow(cloud, web, tcp(port, cidr))
            expected.add((port, cidr))
        elif not authorize:
            cloud.revoke_security_group_ingress(GroupId=web, IpPermissions=[tcp(port, cidr)])
            expected.discard((port, cidr))
    assert {(rule["FromPort"], rule["CidrIpv4"]) for rule in rules(cloud, web)} == expected


# --- changing


def test_a_rule_is_modified_whole(cloud, web):
    (rule,) = allow(cloud, web, tcp(22))["SecurityGroupRules"]
    id, db = rule["SecurityGroupRuleId"], create(cloud, "db")
    changed = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "ReferencedGroupId": db, "Description": "d"}
    cloud.modify_security_group_rules(
        GroupId=web, SecurityGroupRules=[{"SecurityGroupRuleId": id, "SecurityGroupRule": changed}]
    )
    (now,) = rules(cloud, web)
    assert (now["SecurityGroupRuleId"], now["IpProtocol"], now["FromPort"]) == (id, "udp", 53)
    assert (now["ReferencedGroupInfo"]["GroupId"], now["Description"]) == (db, "d")
    assert "CidrIpv4" not in now
    assert refusal(cloud.delete_security_group, GroupId=db)[0] == "DependencyViolation"


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (
            {"IpProtocol": "tcp", "FromPort": 23, "ToPort": 23, "CidrIpv4": "0.0.0.0/0"},
            "InvalidPermission.Duplicate",
        ),
        ({"IpProtocol": "tcp", "FromPort": 24, "ToPort": 24}, "MissingParameter"),
        ({"IpProtocol": "-1", "CidrIpv4": "10.0.0.0/8", "CidrIpv6": "::/0"}, "InvalidParameterCombination"),
        ({"IpProtocol": "-1", "CidrIpv4": "10.0.0.0/33"}, "InvalidParameterValue"),
    ],
)
def test_what_a_rule_cannot_become_is_refused(cloud, web, rule, code):
    made = allow(cloud, web, tcp(22), tcp(23))["SecurityGroupRules"]
    change = [{"SecurityGroupRuleId": made[0]["SecurityGroupRuleId"], "SecurityGroupRule": rule}]
    assert refusal(cloud.modify_security_group_rules, GroupId=web, SecurityGroupRules=change)[0] == code
    assert rules(cloud, web) == made


def test_descriptions_change_by_permission_or_by_id(cloud, web):
    (rule,) = allow(cloud, web, tcp(22))["SecurityGroupRules"]
    update = cloud.update_security_group_rule_descriptions_ingress
    named = {**tcp(22), "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "one"}]}
    assert update(GroupId=web, IpPermissions=[named]) == {"Return": True}
    assert rules(cloud, web)[0]["Description"] == "one"
    by_id = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "two"}]
    update(GroupName="web", SecurityGroupRuleDescriptions=by_id)
    assert ingress(cloud, web)[0]["IpRanges"] == [{"CidrIp": "0.0.0.0/0", "Description": "two"}]
    assert refusal(update, GroupId=web, IpPermissions=[tcp(23)])[0] == "InvalidPermission.NotFound"
    assert refusal(update, GroupId=web)[0] == "MissingParameter"
    egress = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "out"}]}
    cloud.update_security_group_rule_descriptions_egress(GroupId=web, IpPermissions=[egress])
    assert described(cloud, web)["IpPermissionsEgress"][0]["IpRanges"][0]["Description"] == "out"


def test_rules_are_found_by_id_group_and_tag(cloud, web):
    tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "a", "Value": "b"}]}]
    (rule,) = allow(cloud, web, tcp(22), TagSpecifications=tags)["SecurityGroupRules"]
    for name, value in (("security-group-rule-id", rule["SecurityGroupRuleId"]), ("tag:a", "b")):
        found = cloud.describe_security_group_rules(Filters=[{"Name": name, "Values": [value]}])
        assert found["SecurityGroupRules"] == [rule]
    by_id = cloud.describe_security_group_rules(SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
    assert by_id["SecurityGroupRules"] == [rule]
    assert len(cloud.describe_security_group_rules()["SecurityGroupRules"]) == len(
        cloud.store.rows(SecurityGroupRule)
    )
