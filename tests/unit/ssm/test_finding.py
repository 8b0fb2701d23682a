"""Parameters found by path and by filter: which, in which order, and what AWS says of a filter it does not know."""

import pytest
from tests.support.api import refusal
from tests.unit.ssm.conftest import IMAGES

NAMES = ("foo", "/foo/name1", "/foo/name2", "/bar/name3", "/bar/name3/name4", "/baz/list", "/baz/pwd")


@pytest.fixture
def filled(ssm):
    for name in NAMES:
        kind = {"/baz/list": "StringList", "/baz/pwd": "SecureString"}.get(name, "String")
        ssm.put_parameter(Name=name, Value=f"value of {name}", Type=kind)
    return ssm


def found(answer):
    return {one["Name"] for one in answer["Parameters"]}


@pytest.mark.parametrize(
    ("path", "recursive", "names"),
    [
        ("/", False, {"foo"}),
        ("/", True, set(NAMES)),
        ("/foo", False, {"/foo/name1", "/foo/name2"}),
        ("/foo/", False, {"/foo/name1", "/foo/name2"}),
        ("/bar", False, {"/bar/name3"}),
        ("/bar", True, {"/bar/name3", "/bar/name3/name4"}),
        ("/fo", True, set()),
        ("/foo/name1", True, set()),
    ],
)
def test_a_path_finds_what_stands_below_it(filled, path, recursive, names):
    assert found(filled.get_parameters_by_path(Path=path, Recursive=recursive)) == names


def test_what_a_path_finds_comes_with_its_value_opened_if_asked(filled):
    def read(**more):
        parameters = filled.get_parameters_by_path(Path="/baz", **more)["Parameters"]
        return {one["Name"]: one["Value"] for one in parameters}

    assert read(WithDecryption=True) == {
        "/baz/list": "value of /baz/list",
        "/baz/pwd": "value of /baz/pwd",
    }
    assert "value" not in read()["/baz/pwd"]


def test_public_parameters_stand_below_paths_of_their_own(filled):
    below = filled.get_parameters_by_path(Path=IMAGES)
    assert found(below) == {f"{IMAGES}/al2023-ami-kernel-default-x86_64"}
    assert len(found(filled.get_parameters_by_path(Path="/aws/service", Recursive=True))) == 2
    assert not found(filled.get_parameters_by_path(Path="/aws/service"))
    assert found(filled.describe_parameters()) == set(NAMES)


@pytest.mark.parametrize("path", ["/###", "//", "test", "/aws/x", "/ssm"])
def test_paths_that_are_none_are_refused(ssm, path):
    code, message = refusal(ssm.get_parameters_by_path, Path=path)
    assert code == "ValidationException"
    assert message.startswith("The parameter doesn't meet the parameter name requirements.")


def by(key, *values, option=None):
    one = {"Key": key}
    if values:
        one["Values"] = list(values)
    if option:
        one["Option"] = option
    return one


@pytest.mark.parametrize(
    ("one", "names"),
    [
        (by("Type", "StringList"), {"/baz/list"}),
        (by("Type", "String", "StringList"), {"/baz/list"}),
        (by("Type", "String", option="BeginsWith"), {"/baz/list"}),
        (by("KeyId", "alias/aws/ssm"), {"/baz/pwd"}),
        (by("KeyId", "alias", option="BeginsWith"), {"/baz/pwd"}),
        (by("Label", "none"), set()),
    ],
)
def test_a_path_is_narrowed_by_filters(filled, one, names):
    assert found(filled.get_parameters_by_path(Path="/baz", ParameterFilters=[one])) == names


def test_a_label_finds_the_version_that_holds_it(filled):
    filled.put_parameter(Name="/foo/name1", Value="newer", Overwrite=True)
    filled.label_parameter_version(Name="/foo/name1", ParameterVersion=1, Labels=["live"])
    (one,) = filled.get_parameters_by_path(Path="/foo", ParameterFilters=[by("Label", "live")])["Parameters"]
    assert (one["Value"], one["Version"], one["Selector"]) == ("value of /foo/name1", 1, ":live")


@pytest.mark.parametrize("key", ["Name", "Path", "Tier"])
def test_a_path_knows_few_filters(ssm, key):
    assert refusal(ssm.get_parameters_by_path, Path="/", ParameterFilters=[by(key, "x")]) == (
        "InvalidFilterKey",
        f"The following filter key is not valid: {key}. Valid filter keys include: [Type, KeyId].",
    )


# --- describing


def test_describing_tells_everything_but_the_value(ssm, clock):
    ssm.put_parameter(
        Name="/db/pwd", Value="s3cr3t", Type="SecureString", Description="of the db", AllowedPattern=".*"
    )
    assert ssm.describe_parameters()["Parameters"] == [
        {
            "Name": "/db/pwd",
            "ARN": "arn:aws:ssm:us-east-1:123456789012:parameter/db/pwd",
            "Type": "SecureString",
            "KeyId": "alias/aws/ssm",
            "LastModifiedDate": clock.now(),
            "LastModifiedUser": "arn:aws:iam::123456789012:root",
            "Description": "of the db",
            "AllowedPattern": ".*",
            "Version": 1,
            "Tier": "Standard",
            "Policies": [],
            "DataType": "text",
        }
    ]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([by("Name", "foo")], {"foo"}),
        ([by("Name", "/foo")], {"foo"}),
        ([by("Name", "foo/name1")], {"/foo/name1"}),
        ([by("Name", "foo", option="BeginsWith")], {"foo", "/foo/name1", "/foo/name2"}),
        ([by("Name", "name3", "list", option="Contains")], {"/bar/name3", "/bar/name3/name4", "/baz/list"}),
        ([by("Path", "/")], {"foo"}),
        ([by("Path", "/", "/foo")], {"foo", "/foo/name1", "/foo/name2"}),
        ([by("Path", "/bar", option="Recursive")], {"/bar/name3", "/bar/name3/name4"}),
        ([by("Path", "/bar/name3", option="OneLevel")], {"/bar/name3/name4"}),
        ([by("Path", "/fo", option="Recursive")], set()),
        ([by("Type", "SecureString")], {"/baz/pwd"}),
        ([by("Type", "String"), by("Path", "/foo")], {"/foo/name1", "/foo/name2"}),
        ([by("Tier", "Advanced")], set()),
        ([by("DataType", "text"), by("Name", "foo")], {"foo"}),
        ([by("tag:team", "blue")], {"/foo/name1"}),
        ([by("tag:team", "b", option="BeginsWith")], {"/foo/name1"}),
        ([by("tag:team")], {"/foo/name1"}),
        ([by("tag:team", "red")], set()),
    ],
)
def test_filters_find(filled, filters, names):
    filled.add_tags_to_resource(
        ResourceType="Parameter", ResourceId="/foo/name1", Tags=[{"Key": "team", "Value": "blue"}]
    )
    assert found(filled.describe_parameters(ParameterFilters=filters)) == names


@pytest.mark.parametrize(
    ("filters", "code", "message"),
    [
        (
            [by("Label", "x")],
            "InvalidFilterKey",
            "The following filter key is not valid: Label. Valid filter keys include: [Path, Name, Type, KeyId, Tier].",
        ),
        (
            [by("Name")],
            "InvalidFilterValue",
            "The following filter values are missing : null for filter key Name",
        ),
        (
            [by("Name", "a"), by("Name", "b")],
            "InvalidFilterKey",
            "The following filter is duplicated in the request: Name. A request can contain only one occurrence of a specific filter.",
        ),
        (
            [by("Path", "/aws", "/ssm")],
            "ValidationException",
            'Filters for common parameters can\'t be prefixed with "aws" or "ssm" (case-insensitive). When using global parameters, please specify within a global namespace.',
        ),
        (
            [by("Path", "/x", option="Equals")],
            "InvalidFilterOption",
            "The following filter option is not valid: Equals. Valid options include: [Recursive, OneLevel].",
        ),
        (
            [by("Tier", "test")],
            "InvalidFilterValue",
            "The following filter value is not valid: test. Valid values include: [Standard, Advanced, Intelligent-Tiering].",
        ),
        (
            [by("Type", "test")],
            "InvalidFilterValue",
            "The following filter value is not valid: test. Valid values include: [String, StringList, SecureString].",
        ),
        (
            [by("Name", "x", option="option")],
            "InvalidFilterOption",
            "The following filter option is not valid: option. Valid options include: [BeginsWith, Equals].",
        ),
    ],
)
def test_filters_that_are_not_understood_are_refused(ssm, filters, code, message):
    assert refusal(ssm.describe_parameters, ParameterFilters=filters) == (code, message)


def test_filters_of_the_first_kind_must_be_met_exactly(filled):
    old = [{"Key": "Name", "Values": ["/foo/name1", "/baz/pwd"]}, {"Key": "Type", "Values": ["SecureString"]}]
    assert found(filled.describe_parameters(Filters=old)) == {"/baz/pwd"}
    assert refusal(filled.describe_parameters, Filters=old, ParameterFilters=[by("Name", "x")]) == (
        "ValidationException",
        "You can use either Filters or ParameterFilters in a single request.",
    )


def test_shared_parameters_are_not_built(ssm):
    assert refusal(ssm.describe_parameters, Shared=True)[0] == "NotImplemented"


# --- paging


def names_of(pages):
    return [one["Name"] for page in pages for one in page["Parameters"]]


def test_every_paginator_finds_each_parameter_once(ssm):
    wanted = [f"/p/{number:02}" for number in range(23)]
    for name in wanted:
        ssm.put_parameter(Name=name, Value="x", Type="String")
    for operation, asked in (("describe_parameters", {}), ("get_parameters_by_path", {"Path": "/p"})):
        pages = ssm.every(operation, **asked)
        assert [len(page["Parameters"]) for page in pages] == [10, 10, 3]
        assert names_of(pages) == wanted
        pages = ssm.every(operation, **asked, PaginationConfig={"PageSize": 7})
        assert names_of(pages) == wanted


def test_no_other_operation_has_a_paginator(ssm):
    tried = {"describe_parameters", "get_parameters_by_path", "get_parameter_history"}
    assert set(ssm.paginated()) == tried


def test_a_page_goes_on_where_it_ended_whatever_went_in_between(ssm):
    for number in range(12):
        ssm.put_parameter(Name=f"/p/{number:02}", Value="x", Type="String")
    token = ssm.describe_parameters()["NextToken"]
    ssm.delete_parameter(Name="/p/09")
    ssm.put_parameter(Name="/p/00a", Value="x", Type="String")
    assert names_of([ssm.describe_parameters(NextToken=token)]) == ["/p/10", "/p/11"]


@pytest.mark.parametrize(
    "operation", ["describe_parameters", "get_parameter_history", "get_parameters_by_path"]
)
def test_a_token_that_is_none_is_refused(ssm, operation):
    ssm.put_parameter(Name="/p", Value="x", Type="String")
    asked = {"get_parameter_history": {"Name": "/p"}, "get_parameters_by_path": {"Path": "/"}}
    answer = refusal(getattr(ssm, operation), NextToken="no token!", **asked.get(operation, {}))
    assert answer[0] == "InvalidNextToken"
