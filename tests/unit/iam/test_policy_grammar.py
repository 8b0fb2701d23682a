"""What may be a policy, and what AWS says of the rest. The messages are AWS's; which comes first is the order of its checks."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.services.iam.errors import MalformedPolicyDocument
from cloudstead.services.iam.policy_grammar import (
    VERSIONS,
    check_identity_policy,
    check_trust_policy,
    several,
    size,
    statements,
    trusted,
)

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}


def document(*found, **more):
    return json.dumps({"Version": "2012-10-17", "Statement": list(found), **more})


def complaint(check, text):
    with pytest.raises(MalformedPolicyDocument) as refused:
        check(text)
    return refused.value.message


# --- identity policies: what is good


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Sid": "One1"},
        {"Sid": ""},
        {"Effect": "Deny"},
        {"Action": "*"},
        {"Action": ["s3:*", "ec2:Describe?", "S3:getobject"]},
        {"Resource": "*"},
        {"Resource": ["arn:aws:s3:::a", "arn:aws-cn:iam::123456789012:role/x", "arn:aws:ec2:*:*:instance/*"]},
        {"Resource": "arn:*:s3:::x"},
        {"Condition": {}},
        {"Condition": {"StringEquals": {"aws:username": "ann"}}},
        {"Condition": {"ForAllValues:StringLike": {"aws:TagKeys": ["a*", "b"]}, "Null": {"x": True}}},
        {"Condition": {"DateGreaterThanIfExists": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}},
        {"Condition": {"DateLessThan": {"aws:EpochTime": 1234567890}}},
        {"Condition": {"DateLessThan": {"a": [str(-(1 << 63)), str((1 << 63) - 1), "0" * 5000]}}},
        {"Condition": {"bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"NotAnOperator": {}}},
    ],
)
def test_good_statements_are_taken(change):
    check_identity_policy(document({**GOOD, **change}))


@pytest.mark.parametrize("pair", [("Action", "NotAction"), ("Resource", "NotResource")])
def test_a_statement_may_say_what_is_not_meant(pair):
    key, other = pair
    statement = {other if name == key else name: value for name, value in GOOD.items()}
    check_identity_policy(document(statement))
    assert complaint(check_identity_policy, document({**statement, **GOOD})) == SYNTAX


def test_one_statement_need_not_be_in_a_list():
    check_identity_policy(json.dumps({"Version": "2012-10-17", "Id": "x", "Statement": GOOD}))


# --- identity policies: what is not, in the order of AWS's checks


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '"x"',
        "null",
        "{}",
        '{"Version": "2012-10-17"}',
        '{"Version": "2012-10-17", "Statement": []}',
        '{"Version": "2012-10-17", "Statement": "x"}',
        '{"Version": "2012-10-17", "Statement": [1]}',
        "[" * 5000,
        document(GOOD, Extra=1),
        document(GOOD, Id=1),
        json.dumps({"Version": "2020-01-01", "Statement": [GOOD]}),
        json.dumps({"Version": 2012, "Statement": [GOOD]}),
    ],
)
def test_what_has_not_the_structure_of_a_policy(text):
    assert complaint(check_identity_policy, text) == SYNTAX


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": None},
        {"Effect": "Maybe"},
        {"Extra": 1},
        {"action": "s3:*"},
        {"Sid": 1},
        {"Action": 1},
        {"Action": ["s3:*", 1]},
        {"Resource": {}},
        {"Condition": []},
        {"Condition": {"StringEquals": "x"}},
        {"Condition": {"Strange": {"a": "b"}}},
        {"Condition": {"ForSomeValues:StringEquals": {"a": "b"}}},
        {"Condition": {"StringEquals": {"a": {"b": "c"}}}},
        {"Condition": {"StringEquals": {"a": [None]}}},
        {"Principal": "*", "NotPrincipal": "*"},
    ],
)
def test_what_has_not_the_structure_of_a_statement(change):
    assert complaint(check_identity_policy, document({**GOOD, **change})) == SYNTAX


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            json.dumps({"Statement": [GOOD]}),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (
            json.dumps({"Version": "2008-10-17", "Statement": [GOOD]}),
            "Policy document must be version 2012-10-17 or greater.",
        ),
        (document({**GOOD, "Effect": "allow"}), LEGACY),
        (document({**GOOD, "Condition": {"DateEquals": {"a": "01/02/2020"}}}), LEGACY),
        (document({**GOOD, "Condition": {"DateEquals": {"a": "2020-13-01"}}}), LEGACY),
        (document({**GOOD, "Condition": {"DateEquals": {"a": str(1 << 63)}}}), LEGACY),
        (document({**GOOD, "Condition": {"DateEquals": {"a": str(-(1 << 63) - 1)}}}), LEGACY),
        (document({**GOOD, "Condition": {"DateEquals": {"a": "9" * 5000}}}), LEGACY),
        (document({**GOOD, "Resource": "arn:aws::x"}), LEGACY),
        (document({**GOOD, "Principal": "*"}), "Policy document should not specify a principal."),
        (
            document({**GOOD, "Sid": "a"}, {**GOOD, "Sid": "a"}),
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            document({**GOOD, "Sid": "a b"}),
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
        ),
        (
            document({"Effect": "Allow", "Resource": "*"}),
            "Policy statement must contain actions.",
        ),
        (document({**GOOD, "Action": []}), "Policy statement must contain actions."),
        (
            document({"Effect": "Allow", "Action": "*"}),
            "Policy statement must contain resources.",
        ),
        (document({**GOOD, "Resource": []}), "Policy statement must contain resources."),
        (
            document({**GOOD, "Resource": "mybucket"}),
            'Resource mybucket must be in ARN format or "*".',
        ),
        (
            document({**GOOD, "Resource": "arn:cloud:s3:::x"}),
            'Partition "cloud" is not valid for resource "arn:cloud:s3:::x".',
        ),
        (
            document({**GOOD, "Resource": "ARN:aws:s3:::x"}),
            'Resource ARN:aws:s3:::x must be in ARN format or "*".',
        ),
        (
            document({**GOOD, "Resource": "arn:aws:s*:::x"}),
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (
            document({**GOOD, "Resource": "arn:aws:s3:us-east-1::x"}),
            "Resource arn:aws:s3:us-east-1::x can not contain region information.",
        ),
        (
            document({**GOOD, "Resource": "arn:aws:iam:us-east-1:123456789012:user/x"}),
            "IAM resource arn:aws:iam:us-east-1:123456789012:user/x cannot contain region information.",
        ),
        (
            document({**GOOD, "Action": "GetObject"}),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            document({**GOOD, "Action": "s3:a:b"}),
            "Actions/Condition can contain only one colon.",
        ),
        (document({**GOOD, "Action": "s/3:Get"}), "Vendor s/3 is not valid"),
    ],
)
def test_each_fault_has_aws_words(text, message):
    assert complaint(check_identity_policy, text) == message


def test_an_iam_resource_is_of_a_kind_that_iam_has():
    said = complaint(
        check_identity_policy, document({**GOOD, "Resource": "arn:aws:iam::123456789012:rock/x"})
    )
    assert said.startswith('IAM resource path must either be "*" or start with user/, federated-user/, role/')
    for good in ("root", "user/x", "*", "u*", "${aws:username}"):
        check_identity_policy(document({**GOOD, "Resource": f"arn:aws:iam::123456789012:{good}"}))


# --- trust policies

TRUST = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": ["123456789012", "arn:aws:iam::123456789012:root"]}},
        {"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/web/i-0a"}},
        {"Principal": {"AWS": "AROAEXAMPLEEXAMPLE123"}},
        {"Principal": {"Service": ["ec2.amazonaws.com", "ssm.amazonaws.com"], "AWS": "123456789012"}},
        {"Principal": {"Federated": "cognito-identity.amazonaws.com"}},
        {"Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]},
        {"Action": "sts:AssumeRole*"},
        {"Action": "STS:assumeROLE"},
        {"Condition": {"StringEquals": {"sts:ExternalId": "x"}}},
        {"Effect": "Deny"},
    ],
)
def test_good_trust_is_taken(change):
    check_trust_policy(document({**TRUST, **change}))


def test_trust_needs_no_version():
    check_trust_policy(json.dumps({"Statement": TRUST}))


def without(key):
    return document({name: value for name, value in TRUST.items() if name != key})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ("[]", "This policy contains invalid Json"),
        (document(TRUST, Extra=1), "Syntax error in policy."),
        (
            json.dumps({"Version": "x", "Statement": [TRUST]}),
            "The policy must contain a valid version string",
        ),
        (json.dumps({"Version": [], "Statement": [TRUST]}), "The policy must contain a valid version string"),
        ('{"Version": "2012-10-17"}', "Missing required field Statement"),
        (document(), "Could not parse the policy: Statement is empty!"),
        (document(1), "Syntax error in policy."),
        (without("Effect"), "Missing required field Effect"),
        (without("Principal"), "Missing required field Principal"),
        (without("Action"), "Missing required field Action"),
        (document({**TRUST, "Action": []}), "Missing required field Action"),
        (document({**TRUST, "Resource": "*"}), "Has prohibited field Resource"),
        (document({**TRUST, "NotResource": "*"}), "AssumeRole policy must not contain resources."),
        (document({**TRUST, "Effect": "allow"}), "Syntax error in policy."),
        (document({**TRUST, "Effect": []}), "Syntax error in policy."),
        (document({**TRUST, "NotAction": "sts:x"}), "Syntax error in policy."),
        (
            document({**TRUST, "Action": "s3:GetObject"}),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (document({**TRUST, "Action": "*"}), "AssumeRole policy may only specify STS AssumeRole actions."),
        (document({**TRUST, "NotPrincipal": "*"}), "Allow with NotPrincipal is not allowed."),
        (
            document({**TRUST, "NotPrincipal": "*", "Effect": "Deny"}),
            "AssumeRole policy must not contain NotPrincipal field.",
        ),
        (document({**TRUST, "Principal": "x"}), "Principal must be a JSON object."),
        (document({**TRUST, "Principal": {}}), "Missing required field Principal cannot be empty!"),
        (document({**TRUST, "Principal": {"AWS": []}}), "Missing required field Principal cannot be empty!"),
        (document({**TRUST, "Principal": {"AWS": "x"}}), 'Invalid principal in policy: "AWS":"x"'),
        (
            document({**TRUST, "Principal": {"Service": "x"}}),
            'Invalid principal in policy: "SERVICE":"x"',
        ),
        (document({**TRUST, "Principal": {"Rock": "x"}}), 'Invalid principal in policy: "Rock":"x"'),
        (
            document({**TRUST, "Sid": "a"}, {**TRUST, "Sid": "a"}),
            "The Statement Ids in the policy are not unique",
        ),
    ],
)
def test_each_fault_of_trust_has_aws_words(text, message):
    assert complaint(check_trust_policy, text) == message


def test_who_is_trusted_is_listed():
    text = document({**TRUST, "Principal": {"AWS": ["1", "2"], "Service": "x"}}, {**TRUST, "Principal": "*"})
    assert list(trusted(text)) == [("AWS", "1"), ("AWS", "2"), ("Service", "x"), ("AWS", "*")]


# --- whatever comes

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
words = st.sampled_from(
    [
        "Allow",
        "Deny",
        "*",
        "s3:Get*",
        "arn:aws:s3:::b",
        "ec2.amazonaws.com",
        "sts:AssumeRole",
        "123456789012",
        "",
    ]
)
values = words | st.lists(words, max_size=3) | json_values
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "DateLessThan", "Null", "Bool", "x"]),
    st.dictionaries(st.text(max_size=5), values, max_size=2) | values,
    max_size=2,
)
principals = st.dictionaries(st.sampled_from(["AWS", "Service", "Federated", "x"]), values, max_size=2)
near_statements = st.fixed_dictionaries(
    {},
    optional={
        "Sid": values,
        "Effect": values,
        "Action": values,
        "NotAction": values,
        "Resource": values,
        "NotResource": values,
        "Principal": principals | values,
        "NotPrincipal": principals | values,
        "Condition": conditions | values,
        "x": values,
    },
)
near_policies = st.fixed_dictionaries(
    {},
    optional={
        "Version": st.sampled_from(VERSIONS) | values,
        "Id": values,
        "Statement": st.lists(near_statements, max_size=3) | near_statements | values,
        "x": values,
    },
)


@pytest.mark.parametrize("check", [check_identity_policy, check_trust_policy])
@given(found=near_policies | json_values)
def test_whatever_json_comes_is_taken_or_called_malformed(check, found):
    text = json.dumps(found)
    try:
        check(text)
    except MalformedPolicyDocument:
        return
    assert all(statement["Effect"] in ("Allow", "Deny") for statement in statements(text))


@pytest.mark.parametrize("check", [check_identity_policy, check_trust_policy])
@given(text=st.text(max_size=50))
def test_whatever_text_comes_is_taken_or_called_malformed(check, text):
    with pytest.raises(MalformedPolicyDocument):
        check(text)


good_actions = st.from_regex(r"[a-z0-9]{1,8}:[A-Za-z*?]{1,12}", fullmatch=True) | st.just("*")
good_resources = st.from_regex(
    r"arn:aws:(ec2|sqs|rds):[a-z0-9-]{0,9}:([0-9]{12})?:[a-z/*]{1,9}", fullmatch=True
)
actions = good_actions | st.lists(good_actions, min_size=1, max_size=3)
resources = good_resources | st.lists(good_resources, min_size=1, max_size=3) | st.just("*")
good_statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": actions, "Resource": resources}
)


@given(st.lists(good_statements, min_size=1, max_size=4))
def test_whatever_is_made_by_the_rules_is_taken(found):
    text = document(*found)
    check_identity_policy(text)
    assert statements(text) == found
    assert size(json.dumps(json.loads(text), indent=4)) == size(text)


@given(st.text() | st.lists(st.text()))
def test_one_is_as_several_of_one(value):
    assert several(several(value)) == several(value)
