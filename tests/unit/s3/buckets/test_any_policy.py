"""Whatever comes as a policy or a list is taken or refused in S3's words, and what was taken can be asked anything."""

import contextlib
import json

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.support.api import ACCOUNT
from tests.unit.s3.buckets.conftest import NOBODY, OTHER, OWNER

from cloudstead.core.clock import ManualClock
from cloudstead.core.errors import ServiceError
from cloudstead.services.s3 import access, acl_grants, policy_grammar
from cloudstead.services.s3.policy_public import is_public
from cloudstead.services.s3.public_access import NOTHING_BLOCKED
from cloudstead.services.s3.rows import BEFORE_APRIL_2023, Bucket, canonical_id
from cloudstead.store import Store

OWNED = Bucket(
    id="abc",
    bucket_id="id",
    account=ACCOUNT,
    region="us-east-1",
    created_at=ManualClock().now(),
    acl=acl_grants.private(canonical_id(ACCOUNT)),
    ownership=BEFORE_APRIL_2023.ownership,
    public_access=None,
)
STORE = Store(None)

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def one_or_many(*values):
    return st.sampled_from(values) | st.lists(st.sampled_from(values), max_size=3) | JUNK


ACTIONS = one_or_many("s3:*", "s3:GetObject", "s3:Get*", "*", "s3:ListBucket", "s3:????????????", "ec2:X")
RESOURCES = one_or_many(
    "arn:aws:s3:::abc", "arn:aws:s3:::abc/*", "*", "arn:aws:s3:::a*", "arn:aws:s3:::abc/${x}"
)
PRINCIPALS = (
    st.just("*")
    | st.fixed_dictionaries({"AWS": one_or_many("*", ACCOUNT, "arn:aws:iam::210987654321:root")})
    | st.fixed_dictionaries({"CanonicalUser": one_or_many(canonical_id(ACCOUNT))})
    | JUNK
)
CONDITIONS = (
    st.dictionaries(
        st.sampled_from(
            ["StringEquals", "NumericLessThan", "IpAddress", "Null", "ForAllValues:StringLike", "Bool"]
        )
        | st.text(max_size=4),
        st.dictionaries(
            st.sampled_from(["aws:SourceIp", "s3:prefix", "s3:max-keys", "aws:CurrentTime"]), JUNK, max_size=2
        ),
        max_size=2,
    )
    | JUNK
)
STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]) | JUNK},
    optional={
        "Principal": PRINCIPALS,
        "NotPrincipal": PRINCIPALS,
        "Action": ACTIONS,
        "NotAction": ACTIONS,
        "Resource": RESOURCES,
        "NotResource": RESOURCES,
        "Condition": CONDITIONS,
        "Sid": st.text(max_size=3) | JUNK,
    },
)


SCALARS = st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just("203.0.113.0/24")
OPERATORS = [
    f"{quantifier}{operator}{ending}"
    for quantifier in ("", "ForAllValues:", "ForAnyValue:")
    for operator in ("StringLike", "NumericLessThan", "DateEquals", "NotIpAddress", "ArnLike", "Bool")
    for ending in ("", "IfExists")
]
KEYS = ["aws:SourceIp", "s3:prefix", "s3:max-keys", "aws:CurrentTime", "aws:userid"]
#: Statements whose shape is good, with conditions on whatever it may be.
WELL_SHAPED = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": st.sampled_from(["*", {"AWS": ACCOUNT}, {"CanonicalUser": canonical_id(ACCOUNT)}]),
        "Action": st.sampled_from(["s3:*", "*", ["s3:GetObject", "s3:ListBucket"]]),
        "Resource": st.sampled_from(["*", ["arn:aws:s3:::abc", "arn:aws:s3:::abc/${aws:username}*"]]),
        "Condition": st.dictionaries(
            st.sampled_from(OPERATORS),
            st.dictionaries(st.sampled_from(KEYS), SCALARS | st.lists(SCALARS, max_size=3), max_size=3),
            max_size=2,
        ),
    }
)


@given(st.one_of(STATEMENTS, st.lists(STATEMENTS | JUNK, max_size=3), JUNK))
def test_a_policy_of_any_shape_is_taken_or_refused(statement):
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    try:
        policy_grammar.check(policy, "abc")
    except ServiceError as e:
        assert e.code == "MalformedPolicy"  # noqa: PT017 - either may happen


@given(st.lists(WELL_SHAPED, min_size=1, max_size=3))
def test_a_policy_that_is_taken_can_be_asked_anything(statements):
    policy = json.dumps({"Statement": statements})
    if "NaN" in policy or "Infinity" in policy:  # which is no JSON
        return
    policy_grammar.check(policy, "abc")
    bucket = replace(OWNED, policy=policy)
    assert isinstance(is_public(policy), bool)
    for caller in (OWNER, OTHER, NOBODY):
        for action, key in (("s3:GetObject", "k"), ("s3:ListBucket", "")):
            access.may(STORE, caller, bucket, action, key, request={"Prefix": "p", "MaxKeys": 3})


@given(
    st.text(max_size=40)
    | st.sampled_from(['id="x', "id=", ",", 'uri="a",id=b', "emailAddress=a@b.c", 'id="",'])
)
def test_a_grant_header_of_any_text_is_read_or_refused(text):
    with contextlib.suppress(ServiceError):
        acl_grants.of_object({"GrantRead": text, "Key": "k"}, canonical_id(ACCOUNT), OWNED, NOTHING_BLOCKED)


@given(st.text())
def test_only_an_accounts_own_id_is_canonical(text):
    with contextlib.suppress(ServiceError):
        acl = acl_grants.of_object({"GrantRead": f"id={text}"}, canonical_id(ACCOUNT), OWNED, NOTHING_BLOCKED)
        assert all(canonical_id(ACCOUNT) == grant.grantee or len(grant.grantee) == 64 for grant in acl.grants)
