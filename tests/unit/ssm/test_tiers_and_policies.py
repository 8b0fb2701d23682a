"""Tiers with their limits, policies that end a parameter, and tags."""

import json
from datetime import timedelta

import pytest
from tests.support.api import refusal

from cloudstead.services.ssm import writing
from cloudstead.services.ssm.rows import Parameter, Version


def put(ssm, name="/p", value="x", **more):
    return ssm.put_parameter(Name=name, Value=value, Type="String", **more)


def expiration(moment):
    return {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": moment}}


def notification(**attributes):
    return {"Type": "ExpirationNotification", "Version": "1.0", "Attributes": attributes}


# --- tiers


def test_an_advanced_parameter_holds_eight_kilobytes(ssm):
    assert put(ssm, value="x" * 8192, Tier="Advanced")["Tier"] == "Advanced"
    assert refusal(put, ssm=ssm, name="/q", value="x" * 8193, Tier="Advanced") == (
        "ValidationException",
        "Advanced tier parameters support a maximum parameter value of 8192 characters.",
    )


def test_an_advanced_parameter_stays_one(ssm):
    put(ssm, Tier="Advanced")
    code, message = refusal(put, ssm=ssm, Tier="Standard", Overwrite=True)
    assert code == "ValidationException"
    assert message.startswith("This parameter uses the advanced-parameter tier. You can't downgrade")
    assert put(ssm, Overwrite=True)["Tier"] == "Advanced"


def test_intelligent_tiering_takes_the_advanced_tier_only_for_what_needs_it(ssm):
    tier = {"Tier": "Intelligent-Tiering"}
    policies = json.dumps([expiration("2030-01-01T00:00:00Z")])
    assert put(ssm, **tier)["Tier"] == "Standard"
    assert put(ssm, value="x" * 4097, Overwrite=True, **tier)["Tier"] == "Advanced"
    assert put(ssm, Overwrite=True, **tier)["Tier"] == "Advanced"
    assert put(ssm, name="/q", Policies=policies, **tier)["Tier"] == "Advanced"


def test_there_is_room_for_so_many_standard_parameters(ssm, monkeypatch):
    monkeypatch.setitem(writing._PARAMETERS_MAX, "Standard", 2)
    put(ssm, name="/a")
    put(ssm, name="/b")
    code, message = refusal(put, ssm=ssm, name="/c")
    assert code == "ParameterLimitExceeded"
    assert message == (
        "You have reached the maximum number of standard parameters for this AWS account and Region (2). To add "
        "more parameters, either delete existing parameters or upgrade to the advanced-parameter tier (charges apply)."
    )
    assert put(ssm, name="/a", Overwrite=True)["Version"] == 2
    assert put(ssm, name="/c", Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    ssm.delete_parameter(Name="/a")
    assert put(ssm, name="/d")["Version"] == 1


# --- policies


def test_a_parameter_is_gone_for_everybody_when_it_expires(ssm, clock, store):
    end = (clock.now() + timedelta(hours=1)).isoformat()
    put(ssm, Tier="Advanced", Policies=json.dumps([expiration(end)]))
    clock.advance(3599)
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "x"
    clock.advance(1)
    assert refusal(ssm.get_parameter, Name="/p")[0] == "ParameterNotFound"
    assert refusal(ssm.delete_parameter, Name="/p")[0] == "ParameterNotFound"
    assert not ssm.describe_parameters()["Parameters"]
    assert not ssm.get_parameters_by_path(Path="/")["Parameters"]
    put(ssm, name="/other")
    assert [row.name for row in store.rows(Parameter)] == ["/other"]
    assert len(store.rows(Version)) == 1


def test_a_name_whose_parameter_expired_is_free(ssm, clock):
    put(ssm, Tier="Advanced", Policies=json.dumps([expiration("2026-01-02T00:00:00Z")]))
    clock.advance(2 * 86_400)
    assert put(ssm) == {"Version": 1, "Tier": "Standard"}


def test_overwriting_keeps_the_policies_until_they_are_overwritten_or_removed(ssm):
    policies = [expiration("2030-01-01T00:00:00+02:00"), notification(Before="5", Unit="Days")]
    put(ssm, Tier="Advanced", Policies=json.dumps(policies))
    put(ssm, Overwrite=True)

    def shown():
        (one,) = ssm.describe_parameters()["Parameters"]
        return one["Policies"]

    assert [one["PolicyType"] for one in shown()] == ["Expiration", "ExpirationNotification"]
    assert [json.loads(one["PolicyText"]) for one in shown()] == policies
    assert {one["PolicyStatus"] for one in shown()} == {"Pending"}
    put(ssm, Overwrite=True, Policies="[{}]")
    assert shown() == []


def test_policies_are_for_advanced_parameters(ssm):
    code, message = refusal(put, ssm=ssm, Policies=json.dumps([expiration("2030-01-01T00:00:00Z")]))
    assert code == "ValidationException"
    assert message.startswith("Standard tier parameters don't support parameter policies.")


@pytest.mark.parametrize(
    ("policies", "code"),
    [
        ("no json", "ValidationException"),
        ('"Expiration"', "ValidationException"),
        ([notification(Before="5", Unit="Days")] * 11, "PoliciesLimitExceededException"),
        ([{**expiration("2030-01-01T00:00:00Z"), "Type": "Death"}], "InvalidPolicyTypeException"),
        ([{"Type": ["Expiration"]}], "InvalidPolicyTypeException"),
        ([expiration("2020-01-01T00:00:00Z")], "InvalidPolicyAttributeException"),
        ([expiration("2030-01-01T00:00:00")], "InvalidPolicyAttributeException"),
        ([expiration("soon")], "InvalidPolicyAttributeException"),
        ([expiration(7)], "InvalidPolicyAttributeException"),
        ([notification(Before="0", Unit="Days")], "InvalidPolicyAttributeException"),
        ([notification(Before="5", Unit="Weeks")], "InvalidPolicyAttributeException"),
        ([notification(After="5", Unit="Days")], "InvalidPolicyAttributeException"),
        ([{**expiration("2030-01-01T00:00:00Z"), "Version": "2.0"}], "InvalidPolicyAttributeException"),
        (
            [expiration("2030-01-01T00:00:00Z"), expiration("2031-01-01T00:00:00Z")],
            "IncompatiblePolicyException",
        ),
    ],
)
def test_policies_that_aws_does_not_take_are_refused(ssm, policies, code):
    text = policies if isinstance(policies, str) else json.dumps(policies)
    assert refusal(put, ssm=ssm, Tier="Advanced", Policies=text)[0] == code


def test_ten_policies_are_not_too_many(ssm):
    changes = {
        "Type": "NoChangeNotification",
        "Version": "1.0",
        "Attributes": {"After": "2", "Unit": "Hours"},
    }
    assert put(ssm, Tier="Advanced", Policies=json.dumps([changes] * 10))["Version"] == 1


# --- tags


def tagged(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags(ssm, name="/p"):
    return ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"]


def test_tags_are_added_replaced_and_removed(ssm):
    put(ssm, Tags=tagged(a="1", b="2"))
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/p", Tags=tagged(b="3", c="4"))
    assert tags(ssm) == tagged(a="1", b="3", c="4")
    put(ssm, Overwrite=True)
    ssm.remove_tags_from_resource(ResourceType="Parameter", ResourceId="/p", TagKeys=["a", "none"])
    assert tags(ssm) == tagged(b="3", c="4")


def test_tags_need_a_parameter(ssm):
    for call, more in (
        (ssm.list_tags_for_resource, {}),
        (ssm.add_tags_to_resource, {"Tags": tagged(a="1")}),
        (ssm.remove_tags_from_resource, {"TagKeys": ["a"]}),
    ):
        assert refusal(call, ResourceType="Parameter", ResourceId="/p", **more)[0] == "InvalidResourceId"
    assert refusal(ssm.list_tags_for_resource, ResourceType="Document", ResourceId="x")[0] == (
        "NotImplemented"
    )
    assert (
        refusal(ssm.list_tags_for_resource, ResourceType="Rock", ResourceId="x")[0] == "ValidationException"
    )


def test_a_parameter_has_fifty_tags_at_most(ssm):
    put(ssm, Tags=tagged(**{f"k{n}": "v" for n in range(50)}))
    answer = refusal(
        ssm.add_tags_to_resource, ResourceType="Parameter", ResourceId="/p", Tags=tagged(more="v")
    )
    assert answer[0] == "TooManyTagsError"
    assert len(tags(ssm)) == 50


def test_tag_keys_of_aws_are_reserved(ssm):
    answer = refusal(put, ssm=ssm, Tags=[{"Key": "aws:x", "Value": "1"}])
    assert answer[0] == "ValidationException"
