"""Managed policies, their versions, and who they are attached to; inline ones; boundaries."""

import json
from urllib.parse import unquote

import pytest
from tests.support.api import ACCOUNT, refusal
from tests.support.identity import allow

from cloudstead.services.iam import aws_managed, policy_grammar
from cloudstead.services.iam.operations import PoliciesOf, policies_of

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def policy(*actions, **more):
    statement = {"Effect": "Allow", "Action": list(actions) or "s3:*", "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create(iam, name="mine", document=None, **more):
    return iam.create_policy(PolicyName=name, PolicyDocument=document or policy(), **more)["Policy"]


def document(version):
    """As botocore gives it in whole: decoded; here it may still be percent-encoded."""
    text = version["Document"]
    return json.loads(unquote(text)) if isinstance(text, str) else text


def tagged(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# --- managed ones


def test_a_policy_is_shown_as_it_was_made(iam, world):
    made = create(iam, Path="/x/", Description="of mine", Tags=tagged(a="1"))
    assert made.pop("PolicyId").startswith("ANPA")
    shown = {
        "PolicyName": "mine",
        "Arn": f"arn:aws:iam::{ACCOUNT}:policy/x/mine",
        "Path": "/x/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 0,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": world.clock.now(),
        "UpdateDate": world.clock.now(),
        "Tags": tagged(a="1"),
    }
    assert made == shown
    got = iam.get_policy(PolicyArn=made["Arn"])["Policy"]
    del got["PolicyId"]
    assert got == {**shown, "Description": "of mine"}


def test_a_name_is_taken_once_whatever_its_path(iam):
    create(iam)
    assert refusal(create, iam=iam, name="Mine", Path="/x/") == (
        "EntityAlreadyExists",
        "A policy called Mine already exists. Duplicate names are not allowed.",
    )


def test_a_document_has_six_kilobytes_without_its_white_space(iam):
    spacious = policy() + " " * 7000
    create(iam, document=spacious)
    assert document(
        iam.get_policy_version(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/mine", VersionId="v1")[
            "PolicyVersion"
        ]
    ) == json.loads(policy())
    long = policy(*[f"s3:Action{number:04}" for number in range(400)])
    assert refusal(create, iam=iam, name="long", document=long) == (
        "LimitExceeded",
        "Cannot exceed quota for PolicySize: 6144",
    )


def test_versions_are_numbered_on_and_five_at_most(iam, world):
    arn = create(iam)["Arn"]
    for number in range(2, 6):
        world.clock.advance(1)
        made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy(f"s3:Get{number}"))
        assert made["PolicyVersion"]["VersionId"] == f"v{number}"
        assert made["PolicyVersion"]["IsDefaultVersion"] is False
    assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=policy()) == (
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    )
    iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("s3:Get6"), SetAsDefault=True)
    assert made["PolicyVersion"]["VersionId"] == "v6"
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [one["VersionId"] for one in versions] == ["v6", "v4", "v3", "v2", "v1"]
    assert [one["VersionId"] for one in versions if one["IsDefaultVersion"]] == ["v6"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v6"


def test_the_default_version_is_in_force_and_is_not_deleted(iam, world):
    arn = create(iam)["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy("s3:Get2"))
    ann = world.user("ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    assert policies_of(world.store, ann).identity == [policy()]
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v1") == (
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    )
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v2")
    assert policies_of(world.store, ann).identity == [policy("s3:Get2")]
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    missing = ("NoSuchEntity", f"Policy {arn} version v1 does not exist or is not attachable.")
    for call in (iam.get_policy_version, iam.delete_policy_version, iam.set_default_policy_version):
        assert refusal(call, PolicyArn=arn, VersionId="v1") == missing


def test_a_policy_goes_only_when_nobody_has_it_and_one_version_is_left(iam):
    arn = create(iam)["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=policy())
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    iam.create_user(UserName="bob", PermissionsBoundary=arn)
    attached = ("DeleteConflict", "Cannot delete a policy attached to entities.")
    assert refusal(iam.delete_policy, PolicyArn=arn) == attached
    iam.detach_user_policy(UserName="ann", PolicyArn=arn)
    assert refusal(iam.delete_policy, PolicyArn=arn) == attached
    iam.delete_user_permissions_boundary(UserName="bob")
    code, message = refusal(iam.delete_policy, PolicyArn=arn)
    assert (code, message[:42]) == ("DeleteConflict", "This policy has more than one version. Bef")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.")


def test_an_arn_that_is_none_and_a_policy_of_another_path(iam):
    create(iam, Path="/x/")
    assert refusal(iam.get_policy, PolicyArn="not-an-arn-but-long-enough")[0] == "InvalidInput"
    elsewhere = f"arn:aws:iam::{ACCOUNT}:policy/mine"
    assert refusal(iam.get_policy, PolicyArn=elsewhere)[0] == "NoSuchEntity"


def test_tags_of_policies(iam):
    arn = create(iam, Tags=tagged(a="1"))["Arn"]
    iam.tag_policy(PolicyArn=arn, Tags=tagged(b="2"))
    iam.untag_policy(PolicyArn=arn, TagKeys=["A"])
    assert iam.list_policy_tags(PolicyArn=arn)["Tags"] == tagged(b="2")


# --- AWS's own


def test_every_policy_of_aws_is_one_that_a_customer_might_write():
    assert len(aws_managed.POLICIES) > 30
    for arn, found in aws_managed.POLICIES.items():
        assert arn == found.arn()
        assert arn.startswith("arn:aws:iam::aws:policy/")
        policy_grammar.check_identity_policy(found.document())


def test_policies_of_aws_are_seen_and_not_changed(iam):
    shown = iam.get_policy(PolicyArn=ADMIN)["Policy"]
    assert (shown["PolicyName"], shown["DefaultVersionId"]) == ("AdministratorAccess", "v1")
    version = iam.get_policy_version(PolicyArn=ADMIN, VersionId="v1")["PolicyVersion"]
    assert document(version)["Statement"] == [{"Effect": "Allow", "Action": ["*"], "Resource": "*"}]
    code, message = refusal(iam.create_policy_version, PolicyArn=ADMIN, PolicyDocument=policy())
    assert code == "AccessDenied"
    assert message == (
        f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: iam:CreatePolicyVersion on resource: policy {ADMIN}"
    )
    for call, more in (
        (iam.delete_policy, {}),
        (iam.tag_policy, {"Tags": tagged(a="1")}),
        (iam.delete_policy_version, {"VersionId": "v1"}),
    ):
        assert refusal(call, PolicyArn=ADMIN, **more)[0] == "AccessDenied"


def test_lists_of_policies_are_narrowed(iam):
    mine = create(iam)["Arn"]
    bound = create(iam, name="bound", Path="/x/")["Arn"]
    iam.create_user(UserName="ann", PermissionsBoundary=bound)
    iam.attach_user_policy(UserName="ann", PolicyArn=READ)

    def arns(**asked):
        return {one["Arn"] for page in iam.every("list_policies", **asked) for one in page["Policies"]}

    assert arns() == {mine, bound, *aws_managed.POLICIES}
    assert arns(Scope="Local") == {mine, bound}
    assert arns(Scope="AWS") == set(aws_managed.POLICIES)
    assert arns(Scope="Local", PathPrefix="/x/") == {bound}
    assert arns(OnlyAttached=True) == {READ, bound}
    assert arns(PolicyUsageFilter="PermissionsPolicy") == {READ}
    assert arns(PolicyUsageFilter="PermissionsBoundary") == {bound}


# --- attached and inline, for each kind of holder


@pytest.fixture(params=["user", "group", "role"])
def holder(request, iam, world):
    """The operations of one kind under common names, and how many characters its inline policies have."""
    word = request.param
    match word:
        case "user":
            iam.create_user(UserName="it")
        case "group":
            iam.create_group(GroupName="it")
        case "role":
            world.role("it", allow({"Service": "ec2.amazonaws.com"}))

    class Holder:
        name = word
        room = {"user": 2048, "group": 5120, "role": 10240}[word]

        def __getattr__(self, operation):
            call = getattr(iam, operation.replace("holder", word))
            return lambda **more: call(**{f"{word.capitalize()}Name": "it", **more})

    return Holder()


def test_managed_policies_are_attached_once_and_detached(iam, holder):
    mine = create(iam, Path="/x/")["Arn"]
    for arn in (READ, mine, READ):
        holder.attach_holder_policy(PolicyArn=arn)
    shown = holder.list_attached_holder_policies()["AttachedPolicies"]
    assert shown == [
        {"PolicyName": "mine", "PolicyArn": mine},
        {"PolicyName": "ReadOnlyAccess", "PolicyArn": READ},
    ]
    assert holder.list_attached_holder_policies(PathPrefix="/x/")["AttachedPolicies"] == shown[:1]
    assert iam.get_policy(PolicyArn=mine)["Policy"]["AttachmentCount"] == 1
    holder.detach_holder_policy(PolicyArn=READ)
    assert holder.list_attached_holder_policies()["AttachedPolicies"] == shown[:1]
    assert refusal(holder.detach_holder_policy, PolicyArn=READ) == (
        "NoSuchEntity",
        f"Policy {READ} was not found.",
    )


def test_a_policy_that_is_not_there_is_not_attached(holder):
    missing = f"arn:aws:iam::{ACCOUNT}:policy/none"
    assert refusal(holder.attach_holder_policy, PolicyArn=missing) == (
        "NoSuchEntity",
        f"Policy {missing} does not exist or is not attachable.",
    )


def test_ten_policies_are_attached_at_most(iam, holder):
    arns = [create(iam, name=f"p{number}")["Arn"] for number in range(11)]
    for arn in arns[:10]:
        holder.attach_holder_policy(PolicyArn=arn)
    assert refusal(holder.attach_holder_policy, PolicyArn=arns[10]) == (
        "LimitExceeded",
        f"Cannot exceed quota for PoliciesPer{holder.name.capitalize()}: 10",
    )


def test_inline_policies_are_put_replaced_and_deleted(holder):
    holder.put_holder_policy(PolicyName="b", PolicyDocument=policy())
    holder.put_holder_policy(PolicyName="a", PolicyDocument=policy())
    holder.put_holder_policy(PolicyName="b", PolicyDocument=policy("s3:Get*"))
    assert holder.list_holder_policies()["PolicyNames"] == ["a", "b"]
    shown = holder.get_holder_policy(PolicyName="b")
    assert shown[f"{holder.name.capitalize()}Name"] == "it"
    text = shown["PolicyDocument"]
    assert (json.loads(unquote(text)) if isinstance(text, str) else text) == json.loads(policy("s3:Get*"))
    holder.delete_holder_policy(PolicyName="b")
    for call in (holder.get_holder_policy, holder.delete_holder_policy):
        assert refusal(call, PolicyName="b") == (
            "NoSuchEntity",
            f"The {holder.name} policy with name b cannot be found.",
        )


def test_inline_policies_share_their_room(holder):
    half = policy(*[f"s3:Action{number:04}" for number in range(holder.room // 28)])
    assert holder.room // 2 < policy_grammar.size(half) < holder.room
    holder.put_holder_policy(PolicyName="a", PolicyDocument=half)
    assert refusal(holder.put_holder_policy, PolicyName="b", PolicyDocument=half) == (
        "LimitExceeded",
        f"Maximum policy size of {holder.room} bytes exceeded for {holder.name} it",
    )
    holder.put_holder_policy(PolicyName="a", PolicyDocument=half)


def test_a_bad_document_is_not_put(holder):
    assert refusal(holder.put_holder_policy, PolicyName="a", PolicyDocument="{}") == (
        "MalformedPolicyDocument",
        "Syntax errors in policy.",
    )


# --- who has a policy


def test_a_policy_tells_who_has_it_and_how(iam, world):
    arn = create(iam)["Arn"]
    iam.create_user(UserName="ann", Path="/x/")
    iam.create_user(UserName="bob", PermissionsBoundary=arn)
    iam.create_group(GroupName="eng")
    world.role("web", allow({"Service": "ec2.amazonaws.com"}))
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    iam.attach_group_policy(GroupName="eng", PolicyArn=arn)
    iam.attach_role_policy(RoleName="web", PolicyArn=arn)

    def names(**asked):
        answer = iam.list_entities_for_policy(PolicyArn=arn, **asked)
        return {one[f"{word}Name"] for word in ("User", "Group", "Role") for one in answer[f"Policy{word}s"]}

    assert names() == {"ann", "bob", "eng", "web"}
    assert names(EntityFilter="User") == {"ann", "bob"}
    assert names(EntityFilter="Role") == {"web"}
    assert names(PathPrefix="/x/") == {"ann"}
    assert names(PolicyUsageFilter="PermissionsBoundary") == {"bob"}
    assert names(PolicyUsageFilter="PermissionsPolicy") == {"ann", "eng", "web"}


# --- boundaries


def test_boundaries_are_put_shown_and_taken_away(iam, world):
    arn = create(iam)["Arn"]
    shown = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    assert iam.create_user(UserName="ann", PermissionsBoundary=arn)["User"]["PermissionsBoundary"] == shown
    world.role("web", allow({"Service": "ec2.amazonaws.com"}))
    iam.put_role_permissions_boundary(RoleName="web", PermissionsBoundary=arn)
    assert iam.get_role(RoleName="web")["Role"]["PermissionsBoundary"] == shown
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 2
    iam.delete_role_permissions_boundary(RoleName="web")
    iam.delete_user_permissions_boundary(UserName="ann")
    assert "PermissionsBoundary" not in iam.get_user(UserName="ann")["User"]


def test_a_boundary_must_be_there(iam):
    missing = f"arn:aws:iam::{ACCOUNT}:policy/none"
    assert refusal(iam.create_user, UserName="ann", PermissionsBoundary=missing) == (
        "NoSuchEntity",
        f"Scope ARN: {missing} does not exist or is not attachable.",
    )


# --- what decides


def test_what_stands_on_an_identity_is_all_that_decides(iam, world):
    ann = world.user("ann", PermissionsBoundary=READ)
    iam.create_group(GroupName="eng")
    iam.add_user_to_group(GroupName="eng", UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="a", PolicyDocument=policy("s3:a"))
    iam.put_group_policy(GroupName="eng", PolicyName="b", PolicyDocument=policy("s3:b"))
    iam.attach_group_policy(GroupName="eng", PolicyArn=create(iam, document=policy("s3:c"))["Arn"])
    found = policies_of(world.store, ann)
    assert sorted(found.identity) == [policy("s3:a"), policy("s3:b"), policy("s3:c")]
    assert found.boundary == aws_managed.POLICIES[READ].document()
    assert found.session is None
    assert policies_of(world.store, world.caller(world.root_key)) is None


def test_a_session_of_a_role_has_the_roles_policies_narrowed_by_its_own(iam, world):
    role = world.role("web", allow({"AWS": ACCOUNT}))
    iam.put_role_policy(RoleName="web", PolicyName="a", PolicyDocument=policy("s3:a"))
    ann = world.user("ann")
    plain, narrowed = world.assumed(ann, role), world.assumed(ann, role, Policy=policy("s3:x"))
    assert policies_of(world.store, plain) == PoliciesOf(identity=[policy("s3:a")])
    assert policies_of(world.store, narrowed) == PoliciesOf(
        identity=[policy("s3:a")], session=[policy("s3:x")]
    )
