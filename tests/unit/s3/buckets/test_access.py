"""Who may do what: by a bucket's policy, by access control lists, and in spite of neither where public access is blocked."""

import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from tests.support.api import ACCOUNT, refusal
from tests.unit.s3.buckets.conftest import NOBODY, OTHER, OTHER_ACCOUNT, OWNER

from cloudstead.core.errors import ServiceError
from cloudstead.core.streams import HttpFacts
from cloudstead.services.s3 import access
from cloudstead.services.s3.acl_grants import private
from cloudstead.services.s3.rows import ALL_USERS, Acl, Bucket, Grant, canonical_id

OBJECTS = "arn:aws:s3:::abc/*"
BUCKET = "arn:aws:s3:::abc"
OPEN = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False
)


def statement(**fields):
    return {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": OBJECTS, **fields}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def bucket(s3, store):
    """A bucket with no block on public access; with statements it has a policy of them."""

    def make(*statements):
        s3.create_bucket(Bucket="abc")
        s3.put_public_access_block(Bucket="abc", PublicAccessBlockConfiguration=OPEN)
        if statements:
            s3.put_bucket_policy(Bucket="abc", Policy=document(*statements))
        return store.get(Bucket, "abc")

    return make


@pytest.fixture
def may(store):
    def ask(caller, bucket, action="s3:GetObject", key="a/b", **more):
        return access.may(store, caller, bucket, action, key, **more)

    return ask


# --- without a policy


def test_without_a_policy_only_the_account_gets_in(bucket, may):
    made = bucket()
    assert may(OWNER, made)
    assert not may(OTHER, made)
    assert not may(NOBODY, made)


# --- principals


@pytest.mark.parametrize(
    ("principal", "other", "nobody"),
    [
        ("*", True, True),
        ({"AWS": "*"}, True, True),
        ({"AWS": OTHER_ACCOUNT}, True, False),
        ({"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}, True, False),
        ({"AWS": ["111122223333", OTHER_ACCOUNT]}, True, False),
        ({"CanonicalUser": canonical_id(OTHER_ACCOUNT)}, True, False),
        ({"AWS": "111122223333"}, False, False),
        ({"Service": "ec2.amazonaws.com"}, False, False),
    ],
)
def test_a_policy_lets_in_whom_it_names(bucket, may, principal, other, nobody):
    made = bucket(statement(Principal=principal))
    assert (may(OTHER, made), may(NOBODY, made)) == (other, nobody)


def test_everybody_but_those_named_is_denied(bucket, may):
    others = {"Effect": "Deny", "NotPrincipal": {"AWS": OTHER_ACCOUNT}, "Action": "s3:*", "Resource": OBJECTS}
    made = bucket(statement(), others)
    assert may(OTHER, made)
    assert not may(NOBODY, made)
    assert not may(OWNER, made)


# --- actions and resources


@pytest.mark.parametrize(
    ("fields", "action", "key", "allowed"),
    [
        ({}, "s3:GetObject", "x", True),
        ({}, "s3:PutObject", "x", False),
        ({"Action": "s3:Get*"}, "s3:GetObjectAcl", "x", True),
        ({"Action": "S3:GETOBJECT"}, "s3:GetObject", "x", True),
        ({"Action": "s3:*"}, "s3:DeleteObject", "x", True),
        ({"Action": "*"}, "s3:DeleteObject", "x", True),
        ({"Action": ["s3:PutObject", "s3:GetObject"]}, "s3:PutObject", "x", True),
        ({"Resource": "arn:aws:s3:::abc/public/*"}, "s3:GetObject", "public/x", True),
        ({"Resource": "arn:aws:s3:::abc/public/*"}, "s3:GetObject", "private/x", False),
        ({"Resource": "arn:aws:s3:::abc/?.txt"}, "s3:GetObject", "a.txt", True),
        ({"Resource": "arn:aws:s3:::abc/?.txt"}, "s3:GetObject", "ab.txt", False),
        ({"Resource": "arn:aws:s3:::abc*"}, "s3:GetObject", "x", True),
        ({"Resource": "*"}, "s3:GetObject", "x", True),
        ({"Action": "s3:ListBucket", "Resource": BUCKET}, "s3:ListBucket", "", True),
        ({"Action": "s3:*"}, "s3:ListBucket", "", False),  # only objects are named
    ],
)
def test_a_policy_speaks_of_the_actions_and_resources_it_names(bucket, may, fields, action, key, allowed):
    assert may(NOBODY, bucket(statement(**fields)), action, key) is allowed


def test_not_action_and_not_resource_speak_of_the_rest(bucket, may):
    rest = {
        "Effect": "Allow",
        "Principal": "*",
        "NotAction": "s3:Put*",
        "NotResource": "arn:aws:s3:::abc/secret/*",
    }
    made = bucket(rest)
    assert may(NOBODY, made, "s3:GetObject", "a")
    assert not may(NOBODY, made, "s3:PutObject", "a")
    assert not may(NOBODY, made, "s3:GetObject", "secret/a")


def test_a_denial_beats_what_is_allowed_and_binds_the_owner(bucket, may):
    made = bucket(statement(), statement(Effect="Deny", Resource="arn:aws:s3:::abc/secret/*"))
    assert may(NOBODY, made, key="a")
    assert not may(NOBODY, made, key="secret/a")
    assert not may(OWNER, made, key="secret/a")


def test_root_can_always_mend_the_policy(bucket, s3):
    bucket(statement(Effect="Deny", Action="s3:*", Resource=[BUCKET, OBJECTS]))
    assert refusal(s3.get_bucket_tagging, Bucket="abc") == (
        "AccessDenied",
        (
            f"User: {OWNER.arn} is not authorized to perform: s3:GetBucketTagging on resource: "
            '"arn:aws:s3:::abc" with an explicit deny in a resource-based policy'
        ),
    )
    assert s3.get_bucket_policy(Bucket="abc")["Policy"]
    s3.delete_bucket_policy(Bucket="abc")
    assert refusal(s3.get_bucket_tagging, Bucket="abc")[0] == "NoSuchTagSet"


# --- conditions


HTTP = HttpFacts(
    method="GET",
    host="abc.s3.localhost",
    headers={"referer": "https://good.example/page", "user-agent": "curl/8"},
    peer="203.0.113.7",
    secure=False,
    presigned=True,
    at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, True),
        ({"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}, False),
        ({"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, True),
        ({"Bool": {"aws:SecureTransport": True}}, False),
        ({"StringEquals": {"s3:prefix": "home/"}}, True),
        ({"StringLike": {"s3:prefix": ["x/*", "ho*"]}}, True),
        ({"StringNotEquals": {"s3:prefix": "home/"}}, False),
        ({"StringEquals": {"s3:delimiter": "/"}}, True),
        ({"NumericLessThanEquals": {"s3:max-keys": "10"}}, True),
        ({"NumericLessThanEquals": {"s3:max-keys": 9}}, False),
        ({"StringEquals": {"s3:x-amz-acl": "public-read"}}, True),
        ({"StringEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}, False),
        ({"Null": {"s3:x-amz-server-side-encryption": "true"}}, True),
        ({"StringEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}}, True),
        ({"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}, True),
        ({"StringEquals": {"s3:existingobjecttag/Team": "red"}}, False),
        ({"StringEquals": {"s3:RequestObjectTag/stage": "dev"}}, True),
        ({"ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["stage", "team"]}}, True),
        ({"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": ["team"]}}, False),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER_ACCOUNT}:*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:*"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": OTHER_ACCOUNT}}, True),
        ({"StringLike": {"aws:Referer": "https://good.example/*"}}, True),
        ({"StringLike": {"aws:UserAgent": "Wget*"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:01Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, False),
        ({"NumericEquals": {"aws:EpochTime": 1767225600}}, True),
        ({"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}, True),
        ({"StringEquals": {"s3:VersionId": "v1"}}, True),
        ({"StringEquals": {"s3:ResourceAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
    ],
)
def test_conditions_ask_about_the_request(bucket, may, condition, holds):
    made = bucket(statement(Condition=condition))
    request = {
        "Prefix": "home/",
        "Delimiter": "/",
        "MaxKeys": 10,
        "ACL": "public-read",
        "VersionId": "v1",
        "Tagging": "stage=dev",
        "_Http": HTTP,
    }
    assert may(OTHER, made, request=request, tags={"Team": "blue"}) is holds


@pytest.mark.parametrize(("version", "told"), [(2, "AWS"), (4, "AWS4-HMAC-SHA256")])
def test_conditions_ask_how_the_request_was_signed(bucket, may, version, told):
    made = bucket(statement(Condition={"StringEquals": {"s3:signatureVersion": told}}))
    by_key = replace(OTHER, access_key_id="AKIAIOSFODNN7EXAMPLE")
    asked = replace(HTTP, signature_version=version)
    assert may(by_key, made, request={"_Http": asked})
    assert not may(by_key, made, request={"_Http": replace(HTTP, signature_version=6 - version)})
    assert not may(replace(OTHER, access_key_id=""), made, request={"_Http": asked})


def test_a_policys_variables_stand_for_the_callers_values(bucket, may):
    made = bucket(statement(Resource="arn:aws:s3:::abc/home/${aws:username}/*"))
    ann = replace(OTHER, principal="user", arn=f"arn:aws:iam::{OTHER_ACCOUNT}:user/ann")
    assert may(ann, made, key="home/ann/x")
    assert not may(ann, made, key="home/bob/x")


# --- public access


def test_a_public_policy_cannot_be_put_where_that_is_blocked(s3):
    s3.create_bucket(Bucket="abc")
    code, text = refusal(s3.put_bucket_policy, Bucket="abc", Policy=document(statement()))
    assert code == "AccessDenied"
    assert "BlockPublicPolicy" in text
    s3.put_bucket_policy(Bucket="abc", Policy=document(statement(Principal={"AWS": OTHER_ACCOUNT})))


def test_a_restricted_bucket_with_a_public_policy_is_for_its_own_account(bucket, s3, store, may):
    bucket(statement(), statement(Principal={"AWS": OTHER_ACCOUNT}))
    s3.put_public_access_block(
        Bucket="abc", PublicAccessBlockConfiguration={**OPEN, "RestrictPublicBuckets": True}
    )
    restricted = store.get(Bucket, "abc")
    assert (may(OWNER, restricted), may(OTHER, restricted), may(NOBODY, restricted)) == (True, False, False)


@pytest.mark.parametrize(
    ("fields", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": OTHER_ACCOUNT}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}}, False),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0abc"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceVpc": "vpc-*"}}}, True),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceVpc": "vpc-0abc"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:123456789012:*"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:Referer": "https://good.example/"}}}, True),
    ],
)
def test_a_policy_is_public_unless_it_fixes_who(bucket, s3, fields, public):
    bucket(statement(**fields))
    assert s3.get_bucket_policy_status(Bucket="abc") == {"PolicyStatus": {"IsPublic": public}}


# --- the grammar


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        ("nonsense", "Policies must be valid JSON and the first byte must be '{'"),
        ("[]", "Policies must be valid JSON and the first byte must be '{'"),
        ("{" * 500, "Policies must be valid JSON and the first byte must be '{'"),
        ("{}", "Missing required field Statement"),
        ('{"Statement":[]}', "Could not parse the policy: Statement is empty!"),
        ('{"Statement":[1]}', "Invalid policy syntax."),
        ('{"Version":"2011-01-01","Statement":[]}', "The policy must contain a valid version string"),
        ('{"Statment":[]}', "Unknown field Statment"),
        (statement(Effect="Maybe"), "Invalid effect: Maybe"),
        (statement(Colour="red"), "Unknown field Colour"),
        (statement(Action="ec2:RunInstances"), "Policy has invalid action"),
        (statement(Action="s3:Fly"), "Policy has invalid action"),
        (statement(Action=1), "Invalid policy syntax."),
        (statement(Action=[]), "Missing required field Action cannot be empty!"),
        (statement(Resource="arn:aws:s3:::other/*"), "Policy has invalid resource"),
        (statement(Resource="abc/*"), "Policy has invalid resource"),
        (statement(Resource="arn:aws:s3:::abcd"), "Policy has invalid resource"),
        (statement(Resource="arn:aws:ec2:::abc/*"), "Policy has invalid resource"),
        (statement(Action="s3:ListBucket"), "Action does not apply to any resource(s) in statement"),
        (statement(Resource=BUCKET), "Action does not apply to any resource(s) in statement"),
        (statement(Principal="me"), "Invalid principal in policy"),
        (statement(Principal={"AWS": "me"}), "Invalid principal in policy"),
        (statement(Principal={"CanonicalUser": "0" * 64}), "Invalid principal in policy"),
        (statement(Principal={}), "Invalid principal in policy"),
        (statement(Condition={"Sounds": {"aws:SourceIp": "1"}}), "Invalid Condition type : Sounds"),
        (statement(Condition={"StringEquals": {"colour": "1"}}), "Policy has an invalid condition key"),
        (statement(Condition=[]), "Invalid policy syntax."),
        (statement(Sid="a" * 21_000), "Policy exceeds the maximum allowed document size."),
    ],
)
def test_bad_policies_are_refused(bucket, s3, policy, text):
    bucket()
    policy = policy if isinstance(policy, str) else document(policy)
    assert refusal(s3.put_bucket_policy, Bucket="abc", Policy=policy) == ("MalformedPolicy", text)


@pytest.mark.parametrize("field", ["Effect", "Principal", "Action", "Resource"])
def test_a_statement_needs_all_its_fields(bucket, s3, field):
    bucket()
    short = {key: value for key, value in statement().items() if key != field}
    assert refusal(s3.put_bucket_policy, Bucket="abc", Policy=document(short)) == (
        "MalformedPolicy",
        f"Missing required field {field}",
    )


def test_allow_with_not_principal_and_equal_sids_are_refused(bucket, s3):
    bucket()
    everybody_else = {
        "Effect": "Allow",
        "NotPrincipal": {"AWS": OTHER_ACCOUNT},
        "Action": "s3:*",
        "Resource": OBJECTS,
    }
    assert refusal(s3.put_bucket_policy, Bucket="abc", Policy=document(everybody_else))[1] == (
        "Allow with NotPrincipal is not allowed."
    )
    twice = document(statement(Sid="a"), statement(Sid="a"))
    assert refusal(s3.put_bucket_policy, Bucket="abc", Policy=twice)[0] == "MalformedPolicy"


def test_a_policy_reads_back_as_it_was_written_and_goes(bucket, s3):
    bucket()
    written = " \n".join(document(statement()).split(" "))
    s3.put_bucket_policy(Bucket="abc", Policy=written)
    assert s3.get_bucket_policy(Bucket="abc")["Policy"] == written
    s3.delete_bucket_policy(Bucket="abc")
    assert refusal(s3.get_bucket_policy, Bucket="abc") == (
        "NoSuchBucketPolicy",
        "The bucket policy does not exist",
    )
    assert refusal(s3.get_bucket_policy_status, Bucket="abc")[0] == "NoSuchBucketPolicy"


def test_a_policy_is_its_own_accounts_business_even_where_it_lets_others_in(bucket, s3):
    bucket(statement(Principal={"AWS": OTHER_ACCOUNT}, Action="s3:*", Resource=BUCKET))
    assert s3.by(OTHER).get_bucket_versioning(Bucket="abc") == {}
    for call in (s3.by(OTHER).get_bucket_policy, s3.by(OTHER).delete_bucket_policy):
        assert refusal(call, Bucket="abc")[0] == "MethodNotAllowed"
    assert refusal(s3.by(NOBODY).get_bucket_policy, Bucket="abc")[0] == "AccessDenied"


def test_an_absent_policy_is_refused(bucket, s3):
    bucket()
    assert refusal(s3.put_bucket_policy, Bucket="abc", Policy="")[0] == "MissingRequestBodyError"


# --- access control lists


@pytest.fixture
def listed(old_s3, store):
    """A bucket of the time of ACLs, with the canned one of this name."""

    def make(canned="private"):
        old_s3.create_bucket(Bucket="abc", ACL=canned)
        return store.get(Bucket, "abc")

    return make


@pytest.mark.parametrize(
    ("canned", "action", "other", "nobody"),
    [
        ("private", "s3:ListBucket", False, False),
        ("public-read", "s3:ListBucket", True, True),
        ("public-read", "s3:PutObject", False, False),
        ("public-read-write", "s3:PutObject", True, True),
        ("public-read-write", "s3:GetBucketAcl", False, False),
        ("authenticated-read", "s3:ListBucket", True, False),
        ("public-read-write", "s3:GetObject", False, False),  # the object has a list of its own
    ],
)
def test_a_buckets_list_gives_what_it_says(listed, may, canned, action, other, nobody):
    made = listed(canned)
    assert may(OWNER, made, action)
    assert (may(OTHER, made, action), may(NOBODY, made, action)) == (other, nobody)


def test_an_objects_list_gives_what_it_says(listed, may):
    made = listed()
    public = Acl(made.acl.owner, [Grant(made.acl.owner, "FULL_CONTROL"), Grant(ALL_USERS, "READ")])
    assert may(NOBODY, made, "s3:GetObject", acl=public)
    assert not may(NOBODY, made, "s3:PutObjectAcl", acl=public)
    assert not may(NOBODY, made, "s3:GetObject", acl=private(made.acl.owner))


def test_an_object_of_another_account_is_not_the_bucket_owners_to_read(listed, may):
    made = listed("public-read-write")
    theirs = private(canonical_id(OTHER_ACCOUNT))
    assert may(OTHER, made, "s3:GetObject", acl=theirs)
    assert not may(OWNER, made, "s3:GetObject", acl=theirs)
    assert may(OWNER, made, "s3:DeleteObject", acl=theirs)


def test_ignored_public_lists_give_nothing(listed, old_s3, store, may):
    listed("public-read")
    block = {**OPEN, "IgnorePublicAcls": True}
    old_s3.put_public_access_block(Bucket="abc", PublicAccessBlockConfiguration=block)
    ignoring = store.get(Bucket, "abc")
    assert not may(NOBODY, ignoring, "s3:ListBucket")
    assert not may(OTHER, ignoring, "s3:ListBucket")


def test_lists_decide_nothing_where_they_are_disabled(listed, old_s3, store, may):
    made = listed("public-read")
    public = Acl(made.acl.owner, [Grant(ALL_USERS, "READ")])
    assert (
        refusal(
            old_s3.put_bucket_ownership_controls,
            Bucket="abc",
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        )[0]
        == "InvalidBucketAclWithObjectOwnership"
    )
    old_s3.put_bucket_acl(Bucket="abc", ACL="private")
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    old_s3.put_bucket_ownership_controls(Bucket="abc", OwnershipControls=enforced)
    assert not may(NOBODY, store.get(Bucket, "abc"), "s3:GetObject", acl=public)


# --- what is not there


def test_who_may_not_list_is_not_told_what_is_missing(bucket, store):
    made = bucket(statement())
    assert access.missing(store, OWNER, made, "a").code == "NoSuchKey"
    with pytest.raises(ServiceError) as caught:
        access.missing(store, NOBODY, made, "a")
    assert caught.value.code == "AccessDenied"


def test_who_may_list_a_folder_is_told_what_is_missing_in_it(bucket, store):
    in_folder = {"StringLike": {"s3:prefix": "public/*"}}
    made = bucket(statement(Action="s3:ListBucket", Resource=BUCKET, Condition=in_folder))
    assert access.missing(store, OTHER, made, "public/a").code == "NoSuchKey"
    with pytest.raises(ServiceError) as caught:
        access.missing(store, OTHER, made, "private/a")
    assert caught.value.code == "AccessDenied"
