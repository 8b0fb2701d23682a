"""Conditions of policies against a request, and who a trust policy lets in."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.services.iam.conditions import hold, like
from cloudstead.services.iam.resource_policies import Asking
from cloudstead.services.iam.trust import is_trusted

CONTEXT = {
    "aws:username": ["ann"],
    "aws:sourceip": ["192.0.2.7"],
    "aws:currenttime": ["2026-06-15T12:00:00+00:00"],
    "aws:principalarn": ["arn:aws:iam::123456789012:role/eng/web"],
    "aws:multifactorauthage": ["300"],
    "aws:securetransport": ["true"],
    "aws:tagkeys": ["team", "room"],
    "aws:requesttag/team": ["Blue"],
}


@pytest.mark.parametrize(
    ("operator", "key", "values", "holds"),
    [
        ("StringEquals", "aws:username", "ann", True),
        ("stringequals", "AWS:UserName", ["bob", "ann"], True),
        ("StringEquals", "aws:username", "Ann", False),
        ("StringEqualsIgnoreCase", "aws:RequestTag/team", "blue", True),
        ("StringNotEquals", "aws:username", "bob", True),
        ("StringNotEquals", "aws:username", ["bob", "ann"], False),
        ("StringNotEqualsIgnoreCase", "aws:RequestTag/team", "BLUE", False),
        ("StringLike", "aws:username", "a?*", True),
        ("StringNotLike", "aws:username", "a*", False),
        ("StringEquals", "aws:username", "${aws:username}", True),
        ("StringLike", "aws:PrincipalArn", "*/${aws:nobody, 'web'}", True),
        ("StringLike", "aws:PrincipalArn", "*${aws:nobody}", False),
        ("StringEquals", "aws:username", "a${*}", False),
        ("NumericLessThan", "aws:MultiFactorAuthAge", 301, True),
        ("NumericLessThan", "aws:MultiFactorAuthAge", "300", False),
        ("NumericLessThanEquals", "aws:MultiFactorAuthAge", "300.0", True),
        ("NumericGreaterThan", "aws:MultiFactorAuthAge", "299", True),
        ("NumericNotEquals", "aws:MultiFactorAuthAge", "3e2", False),
        ("NumericEquals", "aws:username", "1", False),
        ("DateGreaterThan", "aws:CurrentTime", "2026-06-15", True),
        ("DateLessThan", "aws:CurrentTime", "2026-06-15T12:00:00Z", False),
        ("DateGreaterThanEquals", "aws:CurrentTime", 1781524800, True),
        ("DateLessThan", "aws:CurrentTime", "soon", False),
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:SecureTransport", "TRUE", True),
        ("Bool", "aws:SecureTransport", "false", False),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "192.0.2.0/24"], True),
        ("IpAddress", "aws:SourceIp", "192.0.2.7", True),
        ("NotIpAddress", "aws:SourceIp", "2001:db8::/32", True),
        ("IpAddress", "aws:SourceIp", "nowhere", False),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*", True),
        ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/eng/*", True),
        ("ArnLike", "aws:PrincipalArn", "arn:*", False),
        ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*", True),
        ("Null", "aws:nobody", "true", True),
        ("Null", "aws:username", True, False),
        ("Null", "aws:username", "false", True),
        # a key that is not there
        ("StringEquals", "aws:nobody", "x", False),
        ("StringEqualsIfExists", "aws:nobody", "x", True),
        ("StringEqualsIfExists", "aws:username", "x", False),
        ("StringNotEquals", "aws:nobody", "x", True),
        ("ForAllValues:StringEquals", "aws:nobody", "x", True),
        ("ForAnyValue:StringEquals", "aws:nobody", "x", False),
        # keys with several values
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "room", "floor"], True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team"], False),
        ("ForAnyValue:StringLike", "aws:TagKeys", ["t*"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["floor"], False),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["floor"], True),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["team"], True),
    ],
)
def test_operators(operator, key, values, holds):
    assert hold({operator: {key: values}}, CONTEXT) is holds


def test_all_keys_and_operators_must_hold():
    good, bad = {"aws:username": "ann"}, {"aws:SourceIp": "10.0.0.0/8"}
    assert hold({}, CONTEXT)
    assert hold({"StringEquals": good, "NotIpAddress": bad}, CONTEXT)
    assert not hold({"StringEquals": good, "IpAddress": bad}, CONTEXT)
    assert not hold({"StringEquals": {**good, "aws:TagKeys": "none"}}, CONTEXT)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_wildcards_match_as_the_same_regular_expression(pattern, text):
    expression = "".join({"*": ".*", "?": "."}.get(character, character) for character in pattern)
    assert like(pattern, text) == bool(re.fullmatch(expression, text))


def test_a_pattern_made_to_take_forever_does_not():
    assert not like("*a" * 500 + "b", "a" * 2000)


# --- trust

ANN = "arn:aws:iam::123456789012:user/ann"
ASKING = Asking(account="123456789012", names=[ANN, "AIDAANN"], arn=ANN, tags={"team": "blue"})


def trust(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(effect="Allow", principal=ANN, action="sts:AssumeRole", **more):
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, **more}


@pytest.mark.parametrize(
    ("one", "trusted"),
    [
        (statement(), True),
        (statement(principal="AIDAANN"), True),
        (statement(principal="123456789012"), True),
        (statement(principal="arn:aws:iam::123456789012:root"), True),
        (statement(principal="arn:aws:iam::123456789012:user/bob"), False),
        (statement(principal="999999999999"), False),
        (statement(action="sts:Assume*"), True),
        (statement(action="STS:ASSUMEROLE"), True),
        (statement(action=["sts:TagSession"]), False),
        (statement(effect="Deny"), False),
        ({"Effect": "Allow", "Principal": {"AWS": ANN}, "NotAction": "sts:TagSession"}, True),
        ({"Effect": "Allow", "Principal": {"AWS": ANN}, "NotAction": "sts:AssumeRole"}, False),
        ({"Effect": "Allow", "Principal": {"Federated": ANN}, "Action": "sts:AssumeRole"}, False),
        (statement(Condition={"StringEquals": {"aws:PrincipalTag/Team": "blue"}}), True),
        (statement(Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}}), False),
    ],
)
def test_one_statement_trusts(one, trusted):
    assert is_trusted(trust(one), "sts:AssumeRole", ASKING, {}) is trusted


def test_a_service_is_trusted_by_name_alone():
    service = Asking(service="ec2.amazonaws.com")
    good = {"Effect": "Allow", "Principal": {"Service": ["x.amazonaws.com", "ec2.amazonaws.com"]}}
    assert is_trusted(trust({**good, "Action": "sts:AssumeRole"}), "sts:AssumeRole", service, {})
    assert not is_trusted(trust(statement(principal="*")), "sts:AssumeRole", service, {})


trust_statements = st.builds(
    statement,
    effect=st.sampled_from(["Allow", "Deny"]),
    principal=st.sampled_from([ANN, "*", "123456789012", "999999999999"]),
    action=st.sampled_from(["sts:AssumeRole", "sts:*Role", "sts:TagSession"]),
    Condition=st.sampled_from([{}, {"Null": {"aws:PrincipalArn": "true"}}]),
)


@given(st.lists(trust_statements, min_size=1, max_size=5), st.randoms())
def test_the_order_of_statements_does_not_matter_and_a_denial_never_lets_in(found, chance):
    before = is_trusted(trust(*found), "sts:AssumeRole", ASKING, {})
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert is_trusted(trust(*shuffled), "sts:AssumeRole", ASKING, {}) is before
    for denial in (statement(effect="Deny", principal="999999999999"), statement(effect="Deny")):
        assert is_trusted(trust(*found, denial), "sts:AssumeRole", ASKING, {}) <= before
