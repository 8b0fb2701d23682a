"""Every list that comes in pages comes whole, each element once, whatever the size of a page."""

import json

import pytest
from tests.support.api import refusal
from tests.support.identity import allow

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [allow({"Service": "ec2.amazonaws.com"})]})
NAMES = ["a", "A-b", "a.b", "B", "c+d"]


@pytest.fixture
def full(iam):
    """Five of everything that is listed; names are such that order by case would differ."""
    tags = [{"Key": name, "Value": "x"} for name in ("b", "a", "C", "d", "e")]
    policies = [iam.create_policy(PolicyName=name, PolicyDocument=POLICY)["Policy"]["Arn"] for name in NAMES]
    iam.create_user(UserName="it", Tags=tags)
    iam.create_group(GroupName="it")
    iam.create_role(RoleName="it", AssumeRolePolicyDocument=TRUST, Tags=tags)
    iam.create_policy(PolicyName="it", PolicyDocument=POLICY, Tags=tags)
    iam.create_instance_profile(InstanceProfileName="it", Tags=tags)
    for name, arn in zip(NAMES, policies, strict=True):
        iam.create_user(UserName=name)
        iam.create_group(GroupName=name)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="it")
        iam.add_user_to_group(GroupName="it", UserName=name)
        iam.add_user_to_group(GroupName=name, UserName="it")
        for word in ("user", "group", "role"):
            holder = {f"{word.capitalize()}Name": "it"}
            getattr(iam, f"put_{word}_policy")(**holder, PolicyName=name, PolicyDocument=POLICY)
            getattr(iam, f"attach_{word}_policy")(**holder, PolicyArn=arn)
        iam.attach_user_policy(UserName=name, PolicyArn=policies[0])
    for _ in range(4):
        iam.create_policy_version(PolicyArn=policies[0], PolicyDocument=POLICY)
    for _ in range(2):
        iam.create_access_key(UserName="it")
    iam.create_account_alias(AccountAlias="the-account")
    return iam


LISTS = [
    ("list_users", {}, "Users", 6),
    ("list_groups", {}, "Groups", 6),
    ("list_roles", {}, "Roles", 6),
    ("list_instance_profiles", {}, "InstanceProfiles", 6),
    ("list_policies", {"Scope": "Local"}, "Policies", 6),
    ("list_instance_profiles_for_role", {"RoleName": "it"}, "InstanceProfiles", 5),
    ("get_group", {"GroupName": "it"}, "Users", 5),
    ("list_groups_for_user", {"UserName": "it"}, "Groups", 5),
    ("list_user_policies", {"UserName": "it"}, "PolicyNames", 5),
    ("list_group_policies", {"GroupName": "it"}, "PolicyNames", 5),
    ("list_role_policies", {"RoleName": "it"}, "PolicyNames", 5),
    ("list_attached_user_policies", {"UserName": "it"}, "AttachedPolicies", 5),
    ("list_attached_group_policies", {"GroupName": "it"}, "AttachedPolicies", 5),
    ("list_attached_role_policies", {"RoleName": "it"}, "AttachedPolicies", 5),
    ("list_user_tags", {"UserName": "it"}, "Tags", 5),
    ("list_role_tags", {"RoleName": "it"}, "Tags", 5),
    ("list_instance_profile_tags", {"InstanceProfileName": "it"}, "Tags", 5),
    ("list_policy_tags", {"PolicyArn": "arn:aws:iam::123456789012:policy/it"}, "Tags", 5),
    ("list_policy_versions", {"PolicyArn": "arn:aws:iam::123456789012:policy/a"}, "Versions", 5),
    ("list_access_keys", {"UserName": "it"}, "AccessKeyMetadata", 2),
    ("list_account_aliases", {}, "AccountAliases", 1),
]
#: Those whose pages hold several lists.
MIXED = [
    (
        "list_entities_for_policy",
        {"PolicyArn": "arn:aws:iam::123456789012:policy/a"},
        ("PolicyUsers", "PolicyGroups", "PolicyRoles"),
        8,
    ),
    (
        "get_account_authorization_details",
        {},
        ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"),
        24,
    ),
]


def test_no_paginator_of_botocore_is_left_out_here(iam):
    tried = {operation for operation, *_ in (*LISTS, *MIXED)}
    assert tried == set(iam.paginated())


@pytest.mark.parametrize(("operation", "asked", "member", "count"), LISTS)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_the_pages_of_a_list_make_it_whole(full, operation, asked, member, count, size):
    whole = getattr(full, operation)(**asked)[member]
    assert len(whole) == count
    pages = full.every(operation, **asked, PaginationConfig={"PageSize": size})
    assert [one for page in pages for one in page[member]] == whole
    assert len(pages) == -(-count // size)
    assert pages[-1]["IsTruncated"] is False


@pytest.mark.parametrize(("operation", "asked", "members", "count"), MIXED)
def test_lists_of_several_kinds_come_whole_too(full, operation, asked, members, count):
    pages = full.every(operation, **asked, PaginationConfig={"PageSize": 3})
    found = [json.dumps(one, default=str) for page in pages for name in members for one in page[name]]
    assert len(set(found)) == len(found) == count


def test_lists_are_in_the_order_of_names_without_regard_to_case(full):
    assert [user["UserName"] for user in full.list_users()["Users"]] == ["a", "A-b", "a.b", "B", "c+d", "it"]


def test_a_page_goes_on_where_it_ended_whatever_went_in_between(iam):
    for name in ("a", "b", "c", "d"):
        iam.create_user(UserName=name)
    first = iam.list_users(MaxItems=2)
    iam.delete_user(UserName="b")
    iam.create_user(UserName="aa")
    second = iam.list_users(Marker=first["Marker"])
    assert [user["UserName"] for user in second["Users"]] == ["c", "d"]


def test_a_page_has_a_hundred_unless_more_are_asked_for(iam):
    for number in range(101):
        iam.create_user(UserName=f"u{number:03}")
    assert [len(page["Users"]) for page in iam.every("list_users")] == [100, 1]
    assert len(iam.list_users(MaxItems=1000)["Users"]) == 101


def test_a_marker_that_is_none_is_refused(iam):
    assert refusal(iam.list_users, Marker="no marker!") == (
        "ValidationError",
        "Invalid Marker: no marker!",
    )
