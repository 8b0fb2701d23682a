"""Lifecycle: what may be configured, and what is due when."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.api import refusal

from cloudstead.services.s3.lifecycle import Candidate, Due, due, expiration_header, upload_ends
from cloudstead.services.s3.rows import Bucket

BORN = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 19, tzinfo=UTC)
MOMENT = timedelta(seconds=1)
LARGE = 1 << 20


def rule(**fields):
    return {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, **fields}


def days(count):
    return {"Expiration": {"Days": count}}


@pytest.fixture
def put(s3, store):
    """The bucket with these rules."""
    s3.create_bucket(Bucket="abc")

    def make(*rules, versioning="", **more):
        if versioning:
            s3.put_bucket_versioning(Bucket="abc", VersioningConfiguration={"Status": versioning})
        s3.put_bucket_lifecycle_configuration(
            Bucket="abc", LifecycleConfiguration={"Rules": list(rules)}, **more
        )
        return store.get(Bucket, "abc")

    return make


def candidate(**fields):
    return Candidate(**{"key": "a", "modified_at": BORN, "size": LARGE, **fields})


# --- the configuration


def test_rules_are_kept_and_get_an_id_and_go(s3, put):
    wanted = {
        "Status": "Disabled",
        "Filter": {"And": {"Prefix": "a/", "Tags": [{"Key": "k", "Value": "v"}], "ObjectSizeGreaterThan": 9}},
        "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER"}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 5, "NewerNoncurrentVersions": 2},
        "Expiration": {"Days": 365},
    }
    put(wanted)
    answer = s3.get_bucket_lifecycle_configuration(Bucket="abc")
    (kept,) = answer["Rules"]
    assert len(kept.pop("ID")) == 48
    assert kept == wanted
    assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    s3.delete_bucket_lifecycle(Bucket="abc")
    assert refusal(s3.get_bucket_lifecycle_configuration, Bucket="abc") == (
        "NoSuchLifecycleConfiguration",
        "The lifecycle configuration does not exist",
    )


def test_a_date_survives(s3, put):
    put(rule(Expiration={"Date": MIDNIGHT}))
    kept = s3.get_bucket_lifecycle_configuration(Bucket="abc")["Rules"][0]
    assert kept["Expiration"] == {"Date": MIDNIGHT}


IA = "STANDARD_IA"


@pytest.mark.parametrize(
    ("bad", "code", "text"),
    [
        (rule(), "InvalidRequest", "At least one action needs to be specified in a rule"),
        (rule(**days(0)), "InvalidArgument", "'Days' for Expiration action must be a positive integer"),
        (rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True}), "MalformedXML", None),
        (rule(Expiration={"Date": BORN}), "InvalidArgument", "'Date' must be at midnight GMT"),
        (rule(**days(1), ID="x" * 256), "InvalidArgument", "ID length should not exceed allowed limit of 255"),
        (rule(**days(1), Prefix="a"), "MalformedXML", None),
        ({"Status": "Enabled", **days(1)}, "MalformedXML", None),
        (rule(**days(1), Status="On"), "MalformedXML", None),
        (rule(**days(1), Filter={"Prefix": "a", "ObjectSizeGreaterThan": 1}), "MalformedXML", None),
        (
            rule(**days(1), Filter={"And": {"ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}}),
            "InvalidRequest",
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.",
        ),
        (
            rule(Transitions=[{"Days": 29, "StorageClass": IA}]),
            "InvalidArgument",
            "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
        ),
        (
            rule(Transitions=[{"Days": -1, "StorageClass": "GLACIER"}]),
            "InvalidArgument",
            "'Days' for Transition action must be nonnegative",
        ),
        (rule(Transitions=[{"Days": 1, "StorageClass": "STANDARD"}]), "MalformedXML", None),
        (rule(Transitions=[{"StorageClass": IA}]), "MalformedXML", None),
        (
            rule(Transitions=[{"Days": 30, "StorageClass": IA}, {"Days": 40, "StorageClass": IA}]),
            "InvalidRequest",
            "'StorageClass' must be different for 'Transition' actions in same 'Rule' with prefix ''",
        ),
        (
            rule(Transitions=[{"Days": 30, "StorageClass": IA}], Expiration={"Date": MIDNIGHT}),
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for prefix ''",
        ),
        (
            rule(Transitions=[{"Days": 30, "StorageClass": IA}], **days(30)),
            "InvalidArgument",
            "'Days' in the Expiration action for filter '(prefix '')' must be greater than 'Days' in the Transition action",
        ),
        (rule(Transitions=[{"Days": 60, "StorageClass": IA}, {"Days": 60, "StorageClass": "GLACIER"}]), "InvalidArgument", None),
        (
            rule(NoncurrentVersionExpiration={"NoncurrentDays": 0}),
            "InvalidArgument",
            "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer",
        ),
        (rule(NoncurrentVersionExpiration={"NewerNoncurrentVersions": 1}), "MalformedXML", None),
        (
            rule(NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}),
            "InvalidArgument",
            None,
        ),
        (
            rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0}),
            "InvalidArgument",
            "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer",
        ),
        (
            rule(
                AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}, Filter={"Tag": {"Key": "k", "Value": "v"}}
            ),
            "InvalidRequest",
            "AbortIncompleteMultipartUpload cannot be specified with Tags.",
        ),
    ],
)  # fmt: skip
def test_bad_rules_are_refused(s3, bad, code, text):
    s3.create_bucket(Bucket="abc")
    refused = refusal(
        s3.put_bucket_lifecycle_configuration, Bucket="abc", LifecycleConfiguration={"Rules": [bad]}
    )
    assert refused[0] == code
    assert text in (None, refused[1])


def test_two_rules_with_one_id_are_refused(s3):
    s3.create_bucket(Bucket="abc")
    twice = {"Rules": [rule(**days(1)), rule(**days(2))]}
    assert refusal(s3.put_bucket_lifecycle_configuration, Bucket="abc", LifecycleConfiguration=twice) == (
        "InvalidArgument",
        "Rule ID must be unique. Found same ID for more than one rule",
    )


# --- expiry


def test_days_are_counted_to_the_midnight_after(put):
    bucket = put(rule(**days(3)))
    assert due(bucket, candidate(), MIDNIGHT - MOMENT) is None
    assert due(bucket, candidate(), MIDNIGHT) == Due("expire", "r")


def test_what_was_put_at_midnight_waits_no_longer(put):
    bucket = put(rule(**days(1)))
    at_midnight = candidate(modified_at=MIDNIGHT)
    assert due(bucket, at_midnight, MIDNIGHT + timedelta(days=1)) == Due("expire", "r")


def test_a_date_is_that_moment(put):
    bucket = put(rule(Expiration={"Date": MIDNIGHT}))
    assert due(bucket, candidate(modified_at=MIDNIGHT - MOMENT), MIDNIGHT - MOMENT) is None
    assert due(bucket, candidate(modified_at=MIDNIGHT + MOMENT), MIDNIGHT + 2 * MOMENT) == Due("expire", "r")


@pytest.mark.parametrize(
    ("scope", "covered"),
    [
        ({"Prefix": "a/"}, True),
        ({"Prefix": "b/"}, False),
        ({"Tag": {"Key": "team", "Value": "blue"}}, True),
        ({"Tag": {"Key": "team", "Value": "red"}}, False),
        ({"ObjectSizeGreaterThan": 99}, True),
        ({"ObjectSizeGreaterThan": 100}, False),
        ({"ObjectSizeLessThan": 101}, True),
        ({"ObjectSizeLessThan": 100}, False),
        ({"And": {"Prefix": "a/", "Tags": [{"Key": "team", "Value": "blue"}]}}, True),
        ({"And": {"Prefix": "b/", "Tags": [{"Key": "team", "Value": "blue"}]}}, False),
        ({}, True),
    ],
)
def test_a_rule_covers_what_its_filter_says(put, scope, covered):
    bucket = put(rule(**days(1), Filter=scope))
    found = due(bucket, candidate(key="a/x", size=100, tags={"team": "blue", "n": "1"}), MIDNIGHT)
    assert (found is not None) is covered


def test_a_rule_that_is_disabled_does_nothing(put):
    assert due(put(rule(**days(1), Status="Disabled")), candidate(), MIDNIGHT) is None


# --- moves


def test_the_coldest_class_that_is_due_wins(put):
    steps = [{"Days": 30, "StorageClass": IA}, {"Days": 60, "StorageClass": "GLACIER"}]
    bucket = put(rule(Transitions=steps))
    assert due(bucket, candidate(), BORN + timedelta(days=29)) is None
    assert due(bucket, candidate(), BORN + timedelta(days=31)) == Due("move", "r", IA)
    assert due(bucket, candidate(), BORN + timedelta(days=61)) == Due("move", "r", "GLACIER")


def test_nothing_moves_up_or_twice(put):
    bucket = put(rule(Transitions=[{"Days": 30, "StorageClass": IA}]))
    later = BORN + timedelta(days=100)
    for storage_class in (IA, "GLACIER", "DEEP_ARCHIVE"):
        assert due(bucket, candidate(storage_class=storage_class), later) is None


@pytest.mark.parametrize(
    ("minimum", "wanted", "moved"),
    [
        ("all_storage_classes_128K", "GLACIER", False),
        ("varies_by_storage_class", "GLACIER", True),
        ("varies_by_storage_class", "GLACIER_IR", False),
    ],
)
def test_small_objects_stay_unless_a_rule_names_a_size(put, minimum, wanted, moved):
    small, later = candidate(size=1000), BORN + timedelta(days=100)
    transitions = {"Transitions": [{"Days": 1, "StorageClass": wanted}]}
    bucket = put(rule(**transitions), TransitionDefaultMinimumObjectSize=minimum)
    assert (due(bucket, small, later) is not None) is moved
    sized = put(rule(**transitions, Filter={"ObjectSizeGreaterThan": 500}))
    assert due(sized, small, later) == Due("move", "r", wanted)


def test_the_end_of_an_object_beats_a_move_but_a_delete_marker_does_not(put):
    rules = [rule(**days(2)), rule(ID="m", Transitions=[{"Days": 1, "StorageClass": "GLACIER"}])]
    assert due(put(*rules), candidate(), MIDNIGHT) == Due("expire", "r")
    kept = put(*rules, versioning="Enabled")
    assert due(kept, candidate(), MIDNIGHT) == Due("move", "m", "GLACIER")


# --- versions


def test_noncurrent_versions_go_by_when_they_were_replaced_and_how_many_are_newer(put):
    bucket = put(rule(NoncurrentVersionExpiration={"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}))
    old = {
        "is_latest": False,
        "is_only": False,
        "noncurrent_since": BORN,
        "modified_at": BORN - timedelta(days=99),
    }
    assert due(bucket, candidate(**old, newer_noncurrent=1), MIDNIGHT) is None
    assert due(bucket, candidate(**old, newer_noncurrent=2), MIDNIGHT - MOMENT) is None
    assert due(bucket, candidate(**old, newer_noncurrent=2), MIDNIGHT) == Due("remove", "r")


def test_noncurrent_versions_move_and_markers_do_not(put):
    bucket = put(rule(NoncurrentVersionTransitions=[{"NoncurrentDays": 1, "StorageClass": "GLACIER"}]))
    old = {"is_latest": False, "is_only": False, "noncurrent_since": BORN}
    assert due(bucket, candidate(**old), MIDNIGHT) == Due("move", "r", "GLACIER")
    assert due(bucket, candidate(**old, delete_marker=True), MIDNIGHT) is None
    assert due(bucket, candidate(), MIDNIGHT) is None


@pytest.mark.parametrize("expiration", [{"ExpiredObjectDeleteMarker": True}, {"Days": 1}])
def test_a_marker_that_hides_nothing_goes(put, expiration):
    bucket = put(rule(Expiration=expiration), versioning="Enabled")
    assert due(bucket, candidate(delete_marker=True, size=0), MIDNIGHT) == Due("remove", "r")
    assert due(bucket, candidate(delete_marker=True, is_only=False), MIDNIGHT) is None


# --- uploads, and what answers tell


def test_uploads_end_by_the_earliest_rule(put):
    def abort(count):
        return {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": count}}

    bucket = put(rule(ID="late", **abort(9)), rule(ID="soon", **abort(3), Filter={"Prefix": "a/"}))
    assert upload_ends(bucket, "a/x", BORN) == (MIDNIGHT, "soon")
    assert upload_ends(bucket, "b/x", BORN) == (MIDNIGHT + timedelta(days=6), "late")


def test_answers_tell_when_an_object_will_expire(put):
    bucket = put(rule(**days(3), ID="my rule"))
    told = expiration_header(bucket, candidate())
    assert told == 'expiry-date="Mon, 19 Jan 2026 00:00:00 GMT", rule-id="my%20rule"'
    assert expiration_header(put(rule(**days(3), Status="Disabled")), candidate()) is None
