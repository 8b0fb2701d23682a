"""Lifecycle rules carried out, as time goes on."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, SEALING_KEY

from cloudstead.control.reconciler import Reconciler
from cloudstead.services.s3.operations import objects_of
from cloudstead.services.s3.reconcile import Lifecycles
from cloudstead.services.s3.rows import Event

DAY_S = 86_400


@pytest.fixture
def days_go(loop, store, tools, clock, engine):
    """Let so many days pass, with a look at each hour's end."""
    reconciler = Reconciler(Lifecycles(objects_of(store, tools, engine, SEALING_KEY)), store, clock)

    async def one_pass():
        await reconciler.pass_once()
        async with asyncio.timeout(10):
            await reconciler.idle()

    def go(days):
        for _ in range(days * 4):
            clock.advance(DAY_S / 4)
            loop.run_until_complete(one_pass())
        assert reconciler.next_retry_s() is None, "a step failed"

    return go


def rules(s3, *rules):
    s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET,
        LifecycleConfiguration={
            "Rules": [
                {"ID": f"r{n}", "Status": "Enabled", "Filter": {}, **rule} for n, rule in enumerate(rules)
            ]
        },
    )


def there(s3):
    return [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def put(s3, *keys, **more):
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x", **more)


def test_objects_expire_where_a_rule_says_so(s3, days_go):
    rules(s3, {"Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}})
    put(s3, "logs/a", "keep")
    assert 'rule-id="r0"' in s3.head_object(Bucket=BUCKET, Key="logs/a")["Expiration"]
    assert "Expiration" not in s3.head_object(Bucket=BUCKET, Key="keep")
    days_go(2)
    assert there(s3) == ["keep", "logs/a"]
    days_go(2)
    assert there(s3) == ["keep"]


def test_of_versions_the_current_is_marked_and_the_others_go_later(versioned, days_go):
    rules(versioned, {"Expiration": {"Days": 1}, "NoncurrentVersionExpiration": {"NoncurrentDays": 3}})
    put(versioned, "a")
    days_go(2)
    assert there(versioned) == []
    page = versioned.list_object_versions(Bucket=BUCKET)
    assert (len(page["Versions"]), len(page["DeleteMarkers"])) == (1, 1)
    days_go(5)
    page = versioned.list_object_versions(Bucket=BUCKET)
    assert "Versions" not in page
    assert "DeleteMarkers" not in page, "a marker that hides nothing goes too"


def test_objects_move_to_a_colder_class(s3, days_go):
    rules(s3, {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]})
    s3.put_object(Bucket=BUCKET, Key="large", Body=b"x" * 200_000)
    put(s3, "small")
    days_go(2)
    assert s3.head_object(Bucket=BUCKET, Key="large")["StorageClass"] == "GLACIER"
    assert refused(s3.get_object, Bucket=BUCKET, Key="large").code == "InvalidObjectState"
    assert "StorageClass" not in s3.head_object(Bucket=BUCKET, Key="small")


def classes(s3):
    """How many versions lie in which class."""
    return Counter(one["StorageClass"] for one in s3.list_object_versions(Bucket=BUCKET)["Versions"])


def test_objects_move_on_from_class_to_class(s3, days_go):
    to = [{"Days": 1, "StorageClass": "GLACIER_IR"}, {"Days": 7, "StorageClass": "DEEP_ARCHIVE"}]
    rules(s3, {"Filter": {"ObjectSizeGreaterThan": 0}, "Transitions": to})
    put(s3, "a", "b")
    days_go(5)
    assert classes(s3) == {"GLACIER_IR": 2}
    days_go(4)
    assert classes(s3) == {"DEEP_ARCHIVE": 2}


def test_versions_move_on_and_end_and_the_current_stays(s3, days_go):
    put(s3, "a")  # while no versions were kept
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put(s3, "a", "a", "b", "b", "b")
    to = [
        {"NoncurrentDays": 1, "StorageClass": "GLACIER_IR"},
        {"NoncurrentDays": 5, "StorageClass": "DEEP_ARCHIVE"},
    ]
    rule = {"NoncurrentVersionTransitions": to, "NoncurrentVersionExpiration": {"NoncurrentDays": 9}}
    rules(s3, {"Filter": {"ObjectSizeGreaterThan": 0}, **rule})
    days_go(3)
    assert classes(s3) == {"STANDARD": 2, "GLACIER_IR": 4}
    days_go(4)
    assert classes(s3) == {"STANDARD": 2, "DEEP_ARCHIVE": 4}
    days_go(4)
    assert classes(s3) == {"STANDARD": 2}


def test_what_was_put_before_versions_were_kept_moves_as_the_current(s3, days_go):
    put(s3, "a")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    to = [{"Days": 1, "StorageClass": "GLACIER_IR"}]
    rules(s3, {"Filter": {"ObjectSizeGreaterThan": 0}, "Transitions": to})
    days_go(2)
    assert classes(s3) == {"GLACIER_IR": 1}


def test_objects_go_by_their_sizes(s3, days_go):
    sizes = {"ObjectSizeGreaterThan": 10, "ObjectSizeLessThan": 100}
    rules(s3, {"Filter": {"And": sizes}, "Expiration": {"Days": 1}})
    for size in (10, 11, 99, 100):
        s3.put_object(Bucket=BUCKET, Key=f"{size:03}", Body=bytes(size))
    days_go(2)
    assert there(s3) == ["010", "100"]


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_objects_go_by_all_their_tags(s3, days_go, status):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": status})
    tags = [{"Key": "tom", "Value": "1"}, {"Key": "huck", "Value": "2"}]
    rules(s3, {"Filter": {"And": {"Prefix": "a/", "Tags": tags}}, "Expiration": {"Days": 1}})
    for key, given in (("a/one", "tom=1"), ("a/both", "tom=1&huck=2"), ("b/both", "tom=1&huck=2")):
        put(s3, key, Tagging=given)
    days_go(2)
    assert there(s3) == ["a/one", "b/both"]


def test_objects_go_on_a_date_whenever_they_were_put(s3, days_go, clock):
    midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rules(
        s3,
        {"Filter": {"Prefix": "past/"}, "Expiration": {"Date": midnight - timedelta(days=4000)}},
        {"Filter": {"Prefix": "future/"}, "Expiration": {"Date": midnight + timedelta(days=4000)}},
    )
    put(s3, "past/a", "future/a")
    days_go(1)
    assert there(s3) == ["future/a"]


def counted(s3):
    """How many versions there are, and how many markers."""
    page = s3.list_object_versions(Bucket=BUCKET)
    return len(page.get("Versions", ())), len(page.get("DeleteMarkers", ()))


def test_noncurrent_versions_go_by_their_tags(versioned, days_go):
    tag = {"Tag": {"Key": "k", "Value": "v"}}
    rules(versioned, {"Filter": tag, "NoncurrentVersionExpiration": {"NoncurrentDays": 4}})
    put(versioned, *["a"] * 3, Tagging="k=v")
    put(versioned, "b", "b")
    days_go(3)
    assert counted(versioned) == (5, 0)
    days_go(3)
    assert counted(versioned) == (3, 0)


def test_so_many_noncurrent_versions_are_kept(versioned, days_go):
    kept = {"NoncurrentDays": 1, "NewerNoncurrentVersions": 5}
    rules(versioned, {"NoncurrentVersionExpiration": kept})
    put(versioned, *["a"] * 10)
    days_go(3)
    assert counted(versioned) == (6, 0)


def test_what_is_marked_is_not_marked_again(versioned, days_go):
    rules(versioned, {"Expiration": {"Days": 1}})
    put(versioned, "a")
    versioned.delete_object(Bucket=BUCKET, Key="a")
    days_go(3)
    assert counted(versioned) == (1, 1)


@pytest.mark.parametrize(
    ("expiration", "goes_at_once"), [({"ExpiredObjectDeleteMarker": True}, True), ({"Days": 5}, False)]
)
def test_a_marker_goes_once_it_hides_nothing(versioned, days_go, expiration, goes_at_once):
    ends = {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}, "Expiration": expiration}
    rules(versioned, {"Filter": {"Prefix": "a"}, **ends})
    put(versioned, "a", "b")
    for key in ("a", "b"):
        versioned.delete_object(Bucket=BUCKET, Key=key)
    days_go(3)
    assert counted(versioned) == (1, 1 if goes_at_once else 2)
    days_go(4)
    assert counted(versioned) == (1, 1)


def test_uploads_that_nobody_completes_are_aborted(s3, days_go):
    rules(s3, {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}})
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="k")
    assert upload["AbortRuleId"] == "r0"
    days_go(1)
    assert len(s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 1
    days_go(2)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_a_locked_version_outlives_its_rule(locked, days_go):
    rules(locked, {"NoncurrentVersionExpiration": {"NoncurrentDays": 1}})
    put(locked, "a")
    version = locked.list_object_versions(Bucket=BUCKET)["Versions"][0]["VersionId"]
    locked.put_object_legal_hold(Bucket=BUCKET, Key="a", VersionId=version, LegalHold={"Status": "ON"})
    put(locked, "a")
    days_go(3)
    assert len(locked.list_object_versions(Bucket=BUCKET)["Versions"]) == 2
    locked.put_object_legal_hold(Bucket=BUCKET, Key="a", VersionId=version, LegalHold={"Status": "OFF"})
    days_go(1)
    assert len(locked.list_object_versions(Bucket=BUCKET)["Versions"]) == 1


def test_a_rule_that_is_switched_off_does_nothing(s3, days_go):
    rules(s3, {"Status": "Disabled", "Expiration": {"Days": 1}})
    put(s3, "a")
    days_go(3)
    assert there(s3) == ["a"]


def test_what_a_rule_does_is_told(s3, store, days_go):
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"EventBridgeConfiguration": {}},
        SkipDestinationValidation=True,
    )
    rules(s3, {"Expiration": {"Days": 1}})
    put(s3, "a")
    days_go(2)
    told = [row.message for row in store.rows(Event)]
    assert any("Object Created" in text for text in told)
    assert any("Lifecycle Expiration" in text for text in told)
