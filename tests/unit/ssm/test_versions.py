"""Versions, their labels and their history."""

import pytest
from tests.support.api import refusal
from tests.unit.ssm.conftest import IMAGES


def write(ssm, times, **more):
    for number in range(1, times + 1):
        ssm.put_parameter(Name="/p", Value=f"value {number}", Type="String", Overwrite=True, **more)


def labels(ssm):
    return {one["Version"]: one["Labels"] for one in ssm.get_parameter_history(Name="/p")["Parameters"]}


def test_the_history_shows_every_version_as_it_was(ssm, clock):
    ssm.put_parameter(Name="/p", Value="s3cr3t", Type="SecureString", Description="first")
    first_at = clock.now()
    clock.advance(60)
    ssm.put_parameter(Name="/p", Value="plain", Type="String", Description="second", Overwrite=True)
    first, second = ssm.get_parameter_history(Name="/p", WithDecryption=True)["Parameters"]
    assert (first["Value"], first["Type"], first["KeyId"]) == ("s3cr3t", "SecureString", "alias/aws/ssm")
    assert (first["LastModifiedDate"], first["Description"]) == (first_at, "first")
    assert (second["Value"], second["Description"], second["Labels"]) == ("plain", "second", [])
    assert "KeyId" not in second
    assert ssm.get_parameter_history(Name="/p")["Parameters"][0]["Value"] != "s3cr3t"


def test_the_history_of_what_is_not_there(ssm):
    assert refusal(ssm.get_parameter_history, Name="/p") == ("ParameterNotFound", "Parameter /p not found.")
    (one,) = ssm.get_parameter_history(Name=f"{IMAGES}/al2023-ami-kernel-default-x86_64")["Parameters"]
    assert one["Version"] == 1


def test_the_history_comes_in_pages(ssm):
    write(ssm, 60)
    pages = ssm.every("get_parameter_history", Name="/p")
    assert [len(page["Parameters"]) for page in pages] == [50, 10]
    assert [one["Version"] for page in pages for one in page["Parameters"]] == list(range(1, 61))


def test_a_hundred_versions_are_kept(ssm):
    write(ssm, 101)
    pages = ssm.every("get_parameter_history", Name="/p")
    versions = [one["Version"] for page in pages for one in page["Parameters"]]
    assert versions == list(range(2, 102))
    assert refusal(ssm.get_parameter, Name="/p:1")[0] == "ParameterVersionNotFound"


def test_a_label_keeps_the_oldest_version_and_so_forbids_a_newer_one(ssm):
    write(ssm, 100)
    ssm.label_parameter_version(Name="/p", ParameterVersion=1, Labels=["keep"])
    assert refusal(ssm.put_parameter, Name="/p", Value="x", Overwrite=True) == (
        "ParameterMaxVersionLimitExceeded",
        "You attempted to create a new version of /p by calling the PutParameter API with the overwrite flag. Version 1, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.",
    )
    ssm.label_parameter_version(Name="/p", ParameterVersion=50, Labels=["keep"])
    assert ssm.put_parameter(Name="/p", Value="x", Overwrite=True)["Version"] == 101


def test_a_label_is_put_on_the_latest_version_unless_another_is_named(ssm):
    write(ssm, 3)
    assert ssm.label_parameter_version(Name="/p", Labels=["a"]) == {
        "InvalidLabels": [],
        "ParameterVersion": 3,
    }
    assert ssm.label_parameter_version(Name="/p", ParameterVersion=1, Labels=["b"])["ParameterVersion"] == 1
    assert labels(ssm) == {1: ["b"], 2: [], 3: ["a"]}
    shown = ssm.get_parameter(Name="/p:b")["Parameter"]
    assert (shown["Value"], shown["Version"], shown["Selector"]) == ("value 1", 1, ":b")


def test_a_label_moves_to_where_it_is_put(ssm):
    write(ssm, 2)
    ssm.label_parameter_version(Name="/p", ParameterVersion=1, Labels=["a", "b", "c"])
    ssm.label_parameter_version(Name="/p", ParameterVersion=2, Labels=["b", "c"])
    ssm.label_parameter_version(Name="/p", ParameterVersion=2, Labels=["b"])
    assert labels(ssm) == {1: ["a"], 2: ["b", "c"]}


@pytest.mark.parametrize("label", ["awsx", "SSM", "9abc", "a/b", "a b"])
def test_labels_that_aws_does_not_take_are_told_and_the_others_put(ssm, label):
    write(ssm, 1)
    answer = ssm.label_parameter_version(Name="/p", Labels=[label, "good.one-2_x"])
    assert answer["InvalidLabels"] == [label]
    assert labels(ssm) == {1: ["good.one-2_x"]}


def test_a_version_has_ten_labels_at_most(ssm):
    write(ssm, 2)
    ssm.label_parameter_version(Name="/p", ParameterVersion=1, Labels=[f"l{n}" for n in range(10)])
    ssm.label_parameter_version(Name="/p", ParameterVersion=2, Labels=["mine"])
    assert refusal(ssm.label_parameter_version, Name="/p", ParameterVersion=1, Labels=["mine"]) == (
        "ParameterVersionLabelLimitExceeded",
        "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.",
    )
    assert labels(ssm)[2] == ["mine"]


def test_labels_are_taken_off(ssm):
    write(ssm, 2)
    ssm.label_parameter_version(Name="/p", ParameterVersion=1, Labels=["a", "b"])
    assert ssm.unlabel_parameter_version(Name="/p", ParameterVersion=1, Labels=["a", "z"]) == {
        "RemovedLabels": ["a"],
        "InvalidLabels": ["z"],
    }
    assert labels(ssm) == {1: ["b"], 2: []}
    assert refusal(ssm.get_parameter, Name="/p:a")[0] == "ParameterVersionNotFound"


@pytest.mark.parametrize("operation", ["label_parameter_version", "unlabel_parameter_version"])
def test_labels_need_a_version_that_is_there(ssm, operation):
    call = getattr(ssm, operation)
    assert refusal(call, Name="/p", ParameterVersion=1, Labels=["a"]) == (
        "ParameterNotFound",
        "Parameter /p not found.",
    )
    write(ssm, 1)
    assert refusal(call, Name="/p", ParameterVersion=5, Labels=["a"]) == (
        "ParameterVersionNotFound",
        "Systems Manager could not find version 5 of /p. Verify the version and try again.",
    )
