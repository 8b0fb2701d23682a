"""Access control lists in requests: canned, in headers, spelled out; and where there are none."""

import pytest
from tests.support.api import ACCOUNT, Refusal, refusal
from tests.unit.s3.buckets.conftest import OTHER, OTHER_ACCOUNT

from cloudstead.core.errors import ServiceError
from cloudstead.services.s3 import acl_grants
from cloudstead.services.s3.public_access import NOTHING_BLOCKED
from cloudstead.services.s3.rows import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    LOG_DELIVERY,
    Bucket,
    Grant,
    canonical_id,
)

ME, THEM = canonical_id(ACCOUNT), canonical_id(OTHER_ACCOUNT)


def grants(answer):
    return [
        (grant["Grantee"].get("ID") or grant["Grantee"]["URI"], grant["Permission"])
        for grant in answer["Grants"]
    ]


def user(id, permission="READ"):
    return {"Grantee": {"Type": "CanonicalUser", "ID": id}, "Permission": permission}


def spelled(*given, owner=ME):
    return {"Owner": {"ID": owner}, "Grants": list(given)}


@pytest.mark.parametrize(
    ("canned", "more"),
    [
        ("private", []),
        ("public-read", [(ALL_USERS, "READ")]),
        ("public-read-write", [(ALL_USERS, "READ"), (ALL_USERS, "WRITE")]),
        ("authenticated-read", [(AUTHENTICATED_USERS, "READ")]),
        ("log-delivery-write", [(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")]),
    ],
)
def test_canned_lists_stand_for_grants(old_s3, canned, more):
    old_s3.create_bucket(Bucket="abc")
    old_s3.put_bucket_acl(Bucket="abc", ACL=canned)
    answer = old_s3.get_bucket_acl(Bucket="abc")
    assert answer["Owner"] == {"ID": ME}
    assert grants(answer) == [(ME, "FULL_CONTROL"), *more]


def test_headers_grant_one_permission_to_many(old_s3):
    old_s3.create_bucket(
        Bucket="abc", GrantRead=f'id="{THEM}", uri="{ALL_USERS}"', GrantWriteACP=f"id={THEM}"
    )
    assert grants(old_s3.get_bucket_acl(Bucket="abc")) == [
        (THEM, "READ"),
        (ALL_USERS, "READ"),
        (THEM, "WRITE_ACP"),
    ]


def test_a_list_spelled_out_takes_the_place_of_the_old(old_s3):
    old_s3.create_bucket(Bucket="abc", ACL="public-read")
    old_s3.put_bucket_acl(Bucket="abc", AccessControlPolicy=spelled(user(THEM, "READ_ACP")))
    assert grants(old_s3.get_bucket_acl(Bucket="abc")) == [(THEM, "READ_ACP")]


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"ACL": "loud"}, "InvalidArgument"),
        ({"ACL": "aws-exec-read"}, "InvalidArgument"),
        ({"GrantRead": f"name={THEM}"}, "InvalidArgument"),
        ({"GrantRead": f"id={THEM[:-1]}"}, "InvalidArgument"),
        ({"GrantRead": "uri=http://acs.amazonaws.com/groups/global/Nobody"}, "InvalidArgument"),
        ({"GrantRead": "emailAddress=ann@example.com"}, "MethodNotAllowed"),
        ({"ACL": "private", "GrantRead": f"id={THEM}"}, "InvalidRequest"),
        ({"ACL": "private", "AccessControlPolicy": spelled(user(THEM))}, "UnexpectedContent"),
        ({"AccessControlPolicy": spelled(user(THEM), owner=THEM)}, "AccessDenied"),
        ({"AccessControlPolicy": spelled(user(THEM), owner="x")}, "InvalidArgument"),
        ({"AccessControlPolicy": {"Grants": [user(THEM)]}}, "MalformedACLError"),
        ({"AccessControlPolicy": spelled(*[user(THEM)] * 101)}, "InvalidRequest"),
        ({}, "MissingSecurityHeader"),
    ],
)
def test_bad_lists_are_refused(old_s3, asked, refused):
    old_s3.create_bucket(Bucket="abc")
    assert refusal(old_s3.put_bucket_acl, Bucket="abc", **asked)[0] == refused
    assert grants(old_s3.get_bucket_acl(Bucket="abc")) == [(ME, "FULL_CONTROL")]


def test_who_was_given_the_list_may_change_it_and_the_owner_always(old_s3):
    old_s3.create_bucket(Bucket="abc", GrantWriteACP=f"id={THEM}")
    old_s3.by(OTHER).put_bucket_acl(Bucket="abc", AccessControlPolicy=spelled())
    assert refusal(old_s3.by(OTHER).get_bucket_acl, Bucket="abc")[0] == "AccessDenied"
    old_s3.put_bucket_acl(Bucket="abc", ACL="private")
    assert grants(old_s3.get_bucket_acl(Bucket="abc")) == [(ME, "FULL_CONTROL")]


# --- today's buckets have none


@pytest.mark.parametrize("canned", ["public-read", "authenticated-read"])
def test_a_new_bucket_cannot_have_a_list(s3, canned):
    assert refusal(s3.create_bucket, Bucket="abc", ACL=canned) == (
        "InvalidBucketAclWithObjectOwnership",
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    )
    assert s3.list_buckets()["Buckets"] == []
    s3.create_bucket(Bucket="abc", ACL="private")


def test_nor_a_public_one_with_acls_enabled_while_that_is_blocked(s3):
    asked = {"Bucket": "abc", "ObjectOwnership": "ObjectWriter"}
    assert refusal(s3.create_bucket, ACL="public-read", **asked) == (
        "InvalidBucketAclWithBlockPublicAccessError",
        "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
    )
    s3.create_bucket(ACL="log-delivery-write", **asked)
    assert refusal(s3.put_bucket_acl, Bucket="abc", ACL="public-read")[0] == "AccessDenied"


def test_where_lists_are_disabled_none_is_taken(s3):
    s3.create_bucket(Bucket="abc")
    for asked in ({"ACL": "public-read"}, {"ACL": "private"}, {"GrantRead": f"id={THEM}"}):
        assert refusal(s3.put_bucket_acl, Bucket="abc", **asked) == (
            "AccessControlListNotSupported",
            "The bucket does not allow ACLs",
        )
    s3.put_bucket_acl(Bucket="abc", AccessControlPolicy=spelled(user(ME, "FULL_CONTROL")))
    assert grants(s3.get_bucket_acl(Bucket="abc")) == [(ME, "FULL_CONTROL")]


# --- objects


@pytest.fixture
def new(s3, store):
    s3.create_bucket(Bucket="abc")
    return store.get(Bucket, "abc")


@pytest.fixture
def old(old_s3, store):
    old_s3.create_bucket(Bucket="old")
    return store.get(Bucket, "old")


@pytest.mark.parametrize(
    "asked", [{}, {"ACL": "bucket-owner-full-control"}, {"GrantFullControl": f"id={ME}"}]
)
def test_in_a_bucket_without_lists_its_owner_owns_every_object(new, asked):
    for writer in (ME, THEM):
        assert acl_grants.of_object(asked, writer, new, NOTHING_BLOCKED) == acl_grants.private(ME)


@pytest.mark.parametrize(
    ("asked", "writer"),
    [({"ACL": "public-read"}, ME), ({"GrantRead": f"id={THEM}"}, ME), ({"ACL": "private"}, THEM)],
)
def test_there_no_object_has_a_list(new, asked, writer):
    with pytest.raises(ServiceError) as caught:
        acl_grants.of_object(asked, writer, new, NOTHING_BLOCKED)
    assert caught.value.code == "AccessControlListNotSupported"


def test_there_private_is_what_the_owner_has_and_so_the_owner_alone_may_say_it(new):
    assert acl_grants.of_object({"ACL": "private"}, ME, new, NOTHING_BLOCKED) == acl_grants.private(ME)


@pytest.mark.parametrize(
    ("canned", "more"),
    [
        ("private", []),
        ("public-read", [Grant(ALL_USERS, "READ")]),
        ("bucket-owner-read", [Grant(ME, "READ")]),
        ("bucket-owner-full-control", [Grant(ME, "FULL_CONTROL")]),
    ],
)
def test_elsewhere_who_writes_an_object_owns_it_and_may_share_it(old, canned, more):
    acl = acl_grants.of_object({"ACL": canned}, THEM, old, NOTHING_BLOCKED)
    assert (acl.owner, acl.grants) == (THEM, [Grant(THEM, "FULL_CONTROL"), *more])


def test_a_bucket_owner_that_is_preferred_gets_what_is_given_to_it(old_s3, old, store):
    preferred = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    old_s3.put_bucket_ownership_controls(Bucket="old", OwnershipControls=preferred)
    preferring = store.get(Bucket, "old")
    given = acl_grants.of_object({"ACL": "bucket-owner-full-control"}, THEM, preferring, NOTHING_BLOCKED)
    assert given == acl_grants.private(ME)
    assert acl_grants.of_object({}, THEM, preferring, NOTHING_BLOCKED).owner == THEM


# --- settings


def test_ownership_controls_are_one_rule_and_may_go(s3):
    s3.create_bucket(Bucket="abc")
    for rules in ([], [{"ObjectOwnership": "ObjectWriter"}] * 2, [{"ObjectOwnership": "Mine"}]):
        assert refusal(s3.put_bucket_ownership_controls, Bucket="abc", OwnershipControls={"Rules": rules})[
            0
        ] == ("MalformedXML")
    s3.delete_bucket_ownership_controls(Bucket="abc")
    assert refusal(s3.get_bucket_ownership_controls, Bucket="abc") == (
        "OwnershipControlsNotFoundError",
        "The bucket ownership controls were not found",
    )


def test_the_block_on_public_access_is_changed_as_a_whole_and_may_go(s3):
    s3.create_bucket(Bucket="abc")
    s3.put_public_access_block(Bucket="abc", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert s3.get_public_access_block(Bucket="abc")["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    s3.delete_public_access_block(Bucket="abc")
    with pytest.raises(Refusal) as caught:
        s3.get_public_access_block(Bucket="abc")
    assert (caught.value.code, caught.value.status) == ("NoSuchPublicAccessBlockConfiguration", 404)
