"""The DNS firewall's resources, and what is set of VPCs."""

import pytest
from tests.support.api import refusal


@pytest.fixture
def listed(api):
    def make(*domains, name="list"):
        made = api.create_firewall_domain_list(CreatorRequestId=name, Name=name)["FirewallDomainList"]
        if domains:
            api.update_firewall_domains(
                FirewallDomainListId=made["Id"], Operation="ADD", Domains=list(domains)
            )
        return made["Id"]

    return make


@pytest.fixture
def group(api):
    return api.create_firewall_rule_group(CreatorRequestId="g", Name="group")["FirewallRuleGroup"]["Id"]


@pytest.fixture
def rule(api, group):
    def make(list_id, **more):
        asked = {
            "CreatorRequestId": str(more),
            "FirewallRuleGroupId": group,
            "FirewallDomainListId": list_id,
            "Priority": 10,
            "Action": "BLOCK",
            "BlockResponse": "NODATA",
            "Name": "rule",
            **more,
        }
        return api.create_firewall_rule(**{k: v for k, v in asked.items() if v is not None})["FirewallRule"]

    return make


def domains(api, id):
    return api.list_firewall_domains(FirewallDomainListId=id)["Domains"]


def test_a_list_is_added_to_taken_from_and_replaced(api, listed):
    id = listed("Bad.example", "*.worse.example")
    assert domains(api, id) == ["*.worse.example.", "bad.example."]

    def update(operation, *names):
        return api.update_firewall_domains(FirewallDomainListId=id, Operation=operation, Domains=list(names))

    assert update("ADD", "bad.example.", "third.example")["Status"] == "COMPLETE"
    assert domains(api, id) == ["*.worse.example.", "bad.example.", "third.example."]
    update("REMOVE", "bad.example")
    assert domains(api, id) == ["*.worse.example.", "third.example."]
    update("REPLACE", "*")
    assert domains(api, id) == ["*."]
    assert api.get_firewall_domain_list(FirewallDomainListId=id)["FirewallDomainList"]["DomainCount"] == 1
    for wrong in ("a b", "x.*.example", "*bad.example", "-a.example"):
        refused = refusal(
            api.update_firewall_domains, FirewallDomainListId=id, Operation="ADD", Domains=[wrong]
        )
        assert refused[0] == "ValidationException", wrong


@pytest.mark.parametrize(
    "url",
    [
        "s3://lists/bad domains.txt",
        "https://lists.s3.us-east-1.amazonaws.com/bad%20domains.txt",
        "https://s3.amazonaws.com/lists/bad%20domains.txt",
    ],
)
def test_a_list_is_imported_from_a_file_and_stays_as_it_was_if_that_fails(world, api, listed, url):
    world.files["lists", "bad domains.txt"] = b"a.example\r\n\n*.B.example\n"
    world.files["lists", "wrong"] = b"a.example\nno name\n"
    world.files["lists", "bytes"] = b"\xff"
    id = listed("old.example")

    def imported(url):
        return api.import_firewall_domains(FirewallDomainListId=id, Operation="REPLACE", DomainFileUrl=url)

    assert imported(url)["Status"] == "COMPLETE"
    assert domains(api, id) == ["*.b.example.", "a.example."]
    told = {name: imported(f"s3://lists/{name}") for name in ("wrong", "bytes", "gone")}
    assert {each["Status"] for each in told.values()} == {"COMPLETE_IMPORT_FAILED"}
    assert told["gone"]["StatusMessage"] == "The specified key does not exist."
    assert domains(api, id) == ["*.b.example.", "a.example."]
    assert refusal(imported, url="http://example.com/list") == (
        "ValidationException",
        "The URL 'http://example.com/list' is not that of a file in Amazon S3.",
    )


def test_the_same_creator_s_request_makes_one_thing(api):
    asked = {"CreatorRequestId": "x", "Name": "list"}
    first = api.create_firewall_domain_list(**asked)["FirewallDomainList"]
    assert api.create_firewall_domain_list(**asked)["FirewallDomainList"] == first
    asked["Name"] = "other"
    assert refusal(api.create_firewall_domain_list, **asked)[0] == "ValidationException"
    assert len(api.list_firewall_domain_lists()["FirewallDomainLists"]) == 1


def test_rules_stand_by_priority_and_are_known_by_list_and_type(api, group, rule, listed):
    one, two = listed(name="one"), listed(name="two")
    rule(one, Priority=20)
    rule(two, Priority=10, Action="ALERT", BlockResponse=None)
    rule(one, Priority=30, Qtype="aaaa", Action="ALLOW", BlockResponse=None)

    def shown(**asked):
        found = api.list_firewall_rules(FirewallRuleGroupId=group, **asked)["FirewallRules"]
        return [(each["Priority"], each["FirewallDomainListId"], each.get("Qtype")) for each in found]

    assert shown() == [(10, two, None), (20, one, None), (30, one, "AAAA")]
    assert shown(Action="ALLOW") == [(30, one, "AAAA")]
    api.update_firewall_rule(FirewallRuleGroupId=group, FirewallDomainListId=one, Qtype="AAAA", Priority=5)
    assert shown()[0] == (5, one, "AAAA")
    api.delete_firewall_rule(FirewallRuleGroupId=group, FirewallDomainListId=one)
    assert shown() == [(5, one, "AAAA"), (10, two, None)]
    group_shown = api.get_firewall_rule_group(FirewallRuleGroupId=group)["FirewallRuleGroup"]
    assert group_shown["RuleCount"] == 2
    assert refusal(api.delete_firewall_domain_list, FirewallDomainListId=one)[0] == "ConflictException"
    assert refusal(api.delete_firewall_rule_group, FirewallRuleGroupId=group)[0] == "ConflictException"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"BlockResponse": None}, "ValidationException"),
        ({"Action": "ALLOW"}, "ValidationException"),
        ({"BlockResponse": "OVERRIDE"}, "ValidationException"),
        ({"BlockOverrideDomain": "a.example"}, "ValidationException"),
        ({"Qtype": "NONSENSE"}, "ValidationException"),
        ({"FirewallDomainListId": None}, "ValidationException"),
        ({"FirewallDomainListId": "rslvr-fdl-0"}, "ResourceNotFoundException"),
        ({"FirewallDomainListId": None, "DnsThreatProtection": "DGA"}, "NotImplemented"),
    ],
)
def test_what_is_no_firewall_rule_is_refused(rule, listed, asked, code):
    assert refusal(rule, list_id=listed(), **asked)[0] == code


def test_an_override_says_which_name_and_for_how_long(api, group, rule, listed):
    id = listed()
    made = rule(
        id,
        BlockResponse="OVERRIDE",
        BlockOverrideDomain="Sinkhole.example",
        BlockOverrideDnsType="CNAME",
        BlockOverrideTtl=7,
    )
    assert (made["BlockOverrideDomain"], made["BlockOverrideTtl"]) == ("sinkhole.example.", 7)
    changed = api.update_firewall_rule(
        FirewallRuleGroupId=group, FirewallDomainListId=id, BlockResponse="NXDOMAIN"
    )["FirewallRule"]
    assert "BlockOverrideDomain" not in changed


def test_a_batch_does_what_it_can_and_tells_of_the_rest(api, group, listed):
    entry = {
        "CreatorRequestId": "1",
        "FirewallRuleGroupId": group,
        "FirewallDomainListId": listed(),
        "Priority": 1,
        "Action": "ALERT",
        "Name": "a",
    }
    answer = api.batch_create_firewall_rule(
        CreateFirewallRuleEntries=[entry, {**entry, "CreatorRequestId": "2", "Priority": 2}]
    )
    assert [each["Priority"] for each in answer["CreatedFirewallRules"]] == [1]
    assert [each["Code"] for each in answer["CreateErrors"]] == ["ValidationException"]
    key = {"FirewallRuleGroupId": group, "FirewallDomainListId": entry["FirewallDomainListId"]}
    answer = api.batch_update_firewall_rule(UpdateFirewallRuleEntries=[{**key, "Priority": 9}])
    assert [each["Priority"] for each in answer["UpdatedFirewallRules"]] == [9]
    answer = api.batch_delete_firewall_rule(DeleteFirewallRuleEntries=[key, key])
    assert len(answer["DeletedFirewallRules"]) == 1
    assert [each["Code"] for each in answer["DeleteErrors"]] == ["ResourceNotFoundException"]


def test_a_group_is_associated_with_a_vpc_and_may_be_protected(api, vpc, group):
    made = api.associate_firewall_rule_group(
        CreatorRequestId="a",
        FirewallRuleGroupId=group,
        VpcId=vpc.id,
        Priority=101,
        Name="here",
        MutationProtection="ENABLED",
    )["FirewallRuleGroupAssociation"]
    id = made["Id"]
    assert (made["Status"], made["MutationProtection"]) == ("COMPLETE", "ENABLED")
    assert refusal(api.disassociate_firewall_rule_group, FirewallRuleGroupAssociationId=id)[0] == (
        "ConflictException"
    )
    protected = refusal(
        api.update_firewall_rule_group_association, FirewallRuleGroupAssociationId=id, Priority=200
    )
    assert protected[0] == "ConflictException"
    changed = api.update_firewall_rule_group_association(
        FirewallRuleGroupAssociationId=id, Priority=200, MutationProtection="DISABLED"
    )["FirewallRuleGroupAssociation"]
    assert (changed["Priority"], changed["MutationProtection"]) == (200, "DISABLED")
    found = api.list_firewall_rule_group_associations(VpcId=vpc.id)["FirewallRuleGroupAssociations"]
    assert [each["Id"] for each in found] == [id]
    gone = api.disassociate_firewall_rule_group(FirewallRuleGroupAssociationId=id)
    assert gone["FirewallRuleGroupAssociation"]["Status"] == "DELETING"


def test_an_association_has_a_priority_of_its_own_and_a_vpc_that_exists(api, vpc, group):
    asked = {
        "CreatorRequestId": "a",
        "FirewallRuleGroupId": group,
        "VpcId": vpc.id,
        "Priority": 50,
        "Name": "here",
    }
    code, text = refusal(api.associate_firewall_rule_group, **asked)
    assert (code, text) == (
        "ValidationException",
        "[RSLVR-02017] The priority value you provided is reserved. Provide a number between '100' and '9900'.",
    )
    elsewhere = {**asked, "Priority": 100, "VpcId": "vpc-00000000000000000"}
    assert refusal(api.associate_firewall_rule_group, **elsewhere)[0] == "ResourceNotFoundException"


def test_a_vpc_s_settings_have_aws_s_defaults_until_they_are_set(api, vpc):
    assert api.get_resolver_config(ResourceId=vpc.id)["ResolverConfig"]["AutodefinedReverse"] == "ENABLED"
    changed = api.update_resolver_config(ResourceId=vpc.id, AutodefinedReverseFlag="DISABLE")
    assert changed["ResolverConfig"]["AutodefinedReverse"] == "DISABLED"
    assert api.list_resolver_configs()["ResolverConfigs"] == [changed["ResolverConfig"]]
    assert api.get_firewall_config(ResourceId=vpc.id)["FirewallConfig"]["FirewallFailOpen"] == "DISABLED"
    changed = api.update_firewall_config(ResourceId=vpc.id, FirewallFailOpen="ENABLED")["FirewallConfig"]
    assert api.get_firewall_config(ResourceId=vpc.id)["FirewallConfig"] == changed
    assert changed["FirewallFailOpen"] == "ENABLED"
    assert api.get_resolver_config(ResourceId=vpc.id)["ResolverConfig"]["AutodefinedReverse"] == "DISABLED"


def test_dnssec_is_not_validated_and_says_so(api, vpc):
    shown = api.get_resolver_dnssec_config(ResourceId=vpc.id)["ResolverDNSSECConfig"]
    assert shown["ValidationStatus"] == "DISABLED"
    assert api.list_resolver_dnssec_configs()["ResolverDnssecConfigs"] == []
    assert refusal(api.update_resolver_dnssec_config, ResourceId=vpc.id, Validation="ENABLE")[0] == (
        "NotImplemented"
    )
    api.update_resolver_dnssec_config(ResourceId=vpc.id, Validation="DISABLE")
    assert api.list_resolver_dnssec_configs()["ResolverDnssecConfigs"] == [shown]


def test_query_logs_go_to_a_bucket_and_an_association_tells_whether_it_is_there(api, vpc):
    def make(destination, token):
        return api.create_resolver_query_log_config(
            Name="log", DestinationArn=destination, CreatorRequestId=token
        )["ResolverQueryLogConfig"]

    refusals = [
        refusal(make, destination=f"arn:aws:{rest}", token="x")[0]
        for rest in ("logs:us-east-1:123456789012:log-group:a", "sqs:us-east-1:1:q")
    ]
    assert refusals == ["NotImplemented", "InvalidParameterException"]
    there, gone = make("arn:aws:s3:::logs/dns", "1"), make("arn:aws:s3:::nowhere", "2")
    assert refusal(make, destination="arn:aws:s3:::logs", token="1")[0] == "ResourceExistsException"
    told = {}
    for log in (there, gone):
        made = api.associate_resolver_query_log_config(ResolverQueryLogConfigId=log["Id"], ResourceId=vpc.id)[
            "ResolverQueryLogConfigAssociation"
        ]
        told[log["Id"]] = made["Status"], made["Error"]
    assert told == {
        there["Id"]: ("ACTIVE", "NONE"),
        gone["Id"]: ("ACTION_NEEDED", "DESTINATION_NOT_FOUND"),
    }
    listed = api.list_resolver_query_log_configs(SortBy="CreationTime", SortOrder="DESCENDING")
    assert (
        listed["TotalCount"],
        [each["AssociationCount"] for each in listed["ResolverQueryLogConfigs"]],
    ) == (
        2,
        [1, 1],
    )
    found = api.list_resolver_query_log_config_associations(
        Filters=[{"Name": "Status", "Values": ["ACTIVE"]}]
    )
    assert (found["TotalCount"], found["TotalFilteredCount"]) == (2, 1)
    assert refusal(api.delete_resolver_query_log_config, ResolverQueryLogConfigId=there["Id"])[0] == (
        "InvalidRequestException"
    )
    api.disassociate_resolver_query_log_config(ResolverQueryLogConfigId=there["Id"], ResourceId=vpc.id)
    deleted = api.delete_resolver_query_log_config(ResolverQueryLogConfigId=there["Id"])
    assert deleted["ResolverQueryLogConfig"]["Status"] == "DELETING"
