"""Resolver rules and where they hold."""

import json

import pytest
from tests.support.api import refusal
from tests.unit.route53resolver.conftest import STRANGER

TARGETS = [{"Ip": "192.0.2.53"}, {"Ip": "192.0.2.54", "Port": 5353}]
INTERNET = "rslvr-autodefined-rr-internet-resolver"


@pytest.fixture
def forward(world, api, vpc):
    """Makes forwarding rules."""
    endpoint = world.endpoint(vpc)["Id"]

    def make(domain, **more):
        return api.create_resolver_rule(
            **{
                "CreatorRequestId": domain,
                "RuleType": "FORWARD",
                "DomainName": domain,
                "TargetIps": TARGETS,
                "ResolverEndpointId": endpoint,
                **more,
            }
        )["ResolverRule"]

    make.endpoint = endpoint
    return make


def test_a_rule_says_where_a_domain_s_questions_go(api, forward):
    made = forward("Corp.Example.com", Name="corp")
    assert (made["DomainName"], made["Status"], made["ShareStatus"]) == (
        "corp.example.com.",
        "COMPLETE",
        "NOT_SHARED",
    )
    assert made["TargetIps"] == [
        {"Ip": "192.0.2.53", "Port": 53, "Protocol": "Do53"},
        {"Ip": "192.0.2.54", "Port": 5353, "Protocol": "Do53"},
    ]
    assert api.get_resolver_rule(ResolverRuleId=made["Id"])["ResolverRule"] == made
    changed = api.update_resolver_rule(
        ResolverRuleId=made["Id"], Config={"Name": "new", "TargetIps": [{"Ip": "192.0.2.55"}]}
    )["ResolverRule"]
    assert (changed["Name"], [each["Ip"] for each in changed["TargetIps"]]) == ("new", ["192.0.2.55"])
    assert changed["ResolverEndpointId"] == forward.endpoint


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"RuleType": "RECURSIVE"}, "InvalidRequestException"),
        ({"RuleType": "DELEGATE"}, "NotImplemented"),
        ({"RuleType": "SYSTEM"}, "InvalidRequestException"),
        ({"DomainName": "a..b"}, "InvalidParameterException"),
        ({"TargetIps": [{"Ip": "300.1.1.1"}]}, "InvalidParameterException"),
        ({"TargetIps": [{"Ip": "192.0.2.1", "Protocol": "DoH"}]}, "NotImplemented"),
        ({"ResolverEndpointId": "rslvr-out-0"}, "ResourceNotFoundException"),
    ],
)
def test_what_is_no_rule_is_refused(forward, asked, code):
    assert refusal(forward, domain="example.com", **asked)[0] == code


def test_an_inbound_endpoint_forwards_nothing(world, forward):
    inbound = world.endpoint(world.vpc("10.1.0.0/16"), "INBOUND")["Id"]
    assert refusal(forward, domain="a.example", ResolverEndpointId=inbound)[0] == "InvalidRequestException"


def test_the_internet_s_rule_is_there_from_the_beginning_and_cannot_be_changed(api, vpc):
    (rule,) = api.list_resolver_rules()["ResolverRules"]
    assert (rule["Id"], rule["RuleType"], rule["DomainName"], rule["OwnerId"]) == (
        INTERNET,
        "RECURSIVE",
        ".",
        "Route 53 Resolver",
    )
    assert api.get_resolver_rule(ResolverRuleId=INTERNET)["ResolverRule"] == rule
    assert refusal(api.delete_resolver_rule, ResolverRuleId=INTERNET)[0] == "InvalidRequestException"
    assert refusal(api.tag_resource, ResourceArn=rule["Arn"], Tags=[{"Key": "a", "Value": "b"}]) == (
        "InvalidRequestException",
        "[RSLVR-00903] Cannot tag Auto Defined Rule.",
    )
    associated = api.list_resolver_rule_associations(Filters=[{"Name": "VPCId", "Values": [vpc.id]}])
    (one,) = associated["ResolverRuleAssociations"]
    assert one["Id"] == f"rslvr-autodefined-assoc-{vpc.id}-internet-resolver"


def test_a_rule_holds_in_a_vpc_from_its_association_to_its_end(api, vpc, forward):
    rule = forward("corp.example")
    made = api.associate_resolver_rule(ResolverRuleId=rule["Id"], VPCId=vpc.id, Name="here")
    id = made["ResolverRuleAssociation"]["Id"]
    shown = api.get_resolver_rule_association(ResolverRuleAssociationId=id)["ResolverRuleAssociation"]
    assert (shown["Status"], shown["Name"], shown["VPCId"]) == ("COMPLETE", "here", vpc.id)
    assert refusal(api.delete_resolver_rule, ResolverRuleId=rule["Id"]) == (
        "ResourceInUseException",
        "Please disassociate this resolver rule from VPC first before deleting",
    )
    api.disassociate_resolver_rule(ResolverRuleId=rule["Id"], VPCId=vpc.id)
    assert refusal(api.get_resolver_rule_association, ResolverRuleAssociationId=id)[0] == (
        "ResourceNotFoundException"
    )
    assert api.delete_resolver_rule(ResolverRuleId=rule["Id"])["ResolverRule"]["Status"] == "DELETING"
    assert refusal(api.get_resolver_rule, ResolverRuleId=rule["Id"])[0] == "ResourceNotFoundException"


def test_two_rules_for_one_domain_do_not_hold_in_one_vpc(api, vpc, forward):
    first, second = forward("corp.example"), forward("corp.example", CreatorRequestId="other")
    api.associate_resolver_rule(ResolverRuleId=first["Id"], VPCId=vpc.id)
    assert refusal(api.associate_resolver_rule, ResolverRuleId=first["Id"], VPCId=vpc.id)[0] == (
        "ResourceExistsException"
    )
    code, text = refusal(api.associate_resolver_rule, ResolverRuleId=second["Id"], VPCId=vpc.id)
    assert code == "InvalidRequestException"
    assert text.startswith("Cannot associate rules with same domain name with same VPC.")


def test_an_endpoint_stays_while_rules_need_it(api, forward):
    rule = forward("corp.example")
    code, text = refusal(api.delete_resolver_endpoint, ResolverEndpointId=forward.endpoint)
    assert code == "InvalidRequestException"
    assert text.startswith("[RSLVR-00600]")
    assert rule["Id"] in text


def test_another_account_uses_a_rule_by_its_policy_alone(api, stranger, forward):
    rule = forward("corp.example")
    assert refusal(stranger.get_resolver_rule, ResolverRuleId=rule["Id"])[0] == "ResourceNotFoundException"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": STRANGER.account},
                "Action": ["route53resolver:GetResolverRule", "route53resolver:ListResolverRules"],
                "Resource": [rule["Arn"]],
            }
        ],
    }
    api.put_resolver_rule_policy(Arn=rule["Arn"], ResolverRulePolicy=json.dumps(policy))
    shown = stranger.get_resolver_rule(ResolverRuleId=rule["Id"])["ResolverRule"]
    assert (shown["ShareStatus"], shown["OwnerId"]) == ("SHARED_WITH_ME", rule["OwnerId"])
    assert rule["Id"] in {each["Id"] for each in stranger.list_resolver_rules()["ResolverRules"]}
    assert api.get_resolver_rule(ResolverRuleId=rule["Id"])["ResolverRule"]["ShareStatus"] == "SHARED_BY_ME"
    assert json.loads(api.get_resolver_rule_policy(Arn=rule["Arn"])["ResolverRulePolicy"]) == policy
    assert refusal(stranger.delete_resolver_rule, ResolverRuleId=rule["Id"])[0] == "ResourceNotFoundException"
    policy["Statement"][0]["Resource"] = "*"
    refused = refusal(api.put_resolver_rule_policy, Arn=rule["Arn"], ResolverRulePolicy=json.dumps(policy))
    assert refused[0] == "InvalidPolicyDocument"


def test_tags_are_kept_until_they_are_taken_away(api, forward):
    rule = forward("corp.example", Tags=[{"Key": "team", "Value": "dns"}])
    api.tag_resource(ResourceArn=rule["Arn"], Tags=[{"Key": "stage", "Value": "dev"}])
    api.untag_resource(ResourceArn=rule["Arn"], TagKeys=["team"])
    assert api.list_tags_for_resource(ResourceArn=rule["Arn"])["Tags"] == [{"Key": "stage", "Value": "dev"}]
    assert refusal(api.tag_resource, ResourceArn=rule["Arn"], Tags=[{"Key": "aws:x", "Value": ""}])[0] == (
        "InvalidTagException"
    )
