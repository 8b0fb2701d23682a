"""Buckets: what they may be called, where they are, whose they are, and when they go."""

import asyncio

import pytest
from tests.support.api import ACCOUNT, Refusal, refusal
from tests.unit.s3.buckets.conftest import NOBODY, OTHER, OWNER, caller_of

from cloudstead.dataplane.objects.driver import BeginUpload, Put
from cloudstead.services.s3.buckets_describe import BucketsDescribe
from cloudstead.services.s3.rows import Bucket, account_of, canonical_id


def in_region(region):
    return {"CreateBucketConfiguration": {"LocationConstraint": region}}


def located(store, name):
    """What GetBucketLocation says. Its answer is one element, which botocore reads by a handler of its own."""
    return BucketsDescribe(store).get_bucket_location(OWNER, {"Bucket": name})


def status(call, **params):
    with pytest.raises(Refusal) as caught:
        call(**params)
    return caught.value.status


async def put(objects, bucket_id, key="a"):
    writer = objects.writer(bucket_id)
    await writer.write(b"hello")
    body = await writer.close()
    change = Put(key=key, version_id="null", modified_ms=0, etag="e", meta=b"", body=body)
    await objects.commit(bucket_id, [change])


# --- names


@pytest.mark.parametrize("name", ["abc", "a" * 63, "my.bucket-1", "1bucket", "1.2.3", "a.b.c.d"])
def test_good_names_are_taken(s3, name):
    assert s3.create_bucket(Bucket=name) == {"Location": f"/{name}"}


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 64, "Abc", "a_b", "-ab", "ab-", "a..b", "a.-b", "a-.b", ".ab", "ab.", "192.168.5.4", "xn--abc",
     "sthree-abc", "amzn-s3-demo-a", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3", "abc--table-s3", "a b",
     "abc\n"],
)  # fmt: skip
def test_bad_names_are_refused(s3, name):
    assert refusal(s3.create_bucket, Bucket=name) == (
        "InvalidBucketName",
        "The specified bucket is not valid.",
    )


# --- regions


def test_us_east_1_makes_buckets_anywhere(s3, store):
    made = s3.create_bucket(Bucket="far", **in_region("eu-west-1"))
    assert made == {"Location": "http://far.s3.amazonaws.com/"}
    assert located(store, "far") == {"LocationConstraint": "eu-west-1"}


def test_a_bucket_of_us_east_1_tells_no_location(s3, store):
    s3.create_bucket(Bucket="near")
    assert located(store, "near") == {}


def test_eu_is_eu_west_1(s3):
    s3.create_bucket(Bucket="old", **in_region("EU"))
    assert s3.list_buckets(BucketRegion="eu-west-1")["Buckets"][0]["Name"] == "old"


@pytest.mark.parametrize(
    ("asked", "word"),
    [({}, "unspecified"), (in_region("eu-central-1"), "eu-central-1"), (in_region("EU"), "EU")],
)
def test_another_region_makes_buckets_only_in_itself_and_only_if_asked(s3, asked, word):
    there = s3.by(caller_of(ACCOUNT, region="us-west-2"))
    assert refusal(there.create_bucket, Bucket="abc", **asked) == (
        "IllegalLocationConstraintException",
        f"The {word} location constraint is incompatible for the region specific endpoint this request was sent to.",
    )
    assert there.create_bucket(Bucket="abc", **in_region("us-west-2"))["Location"].startswith("http://abc.s3")


@pytest.mark.parametrize("region", ["us-east-1", "mars-north-1"])
def test_a_location_that_is_none_is_refused(s3, region):
    assert refusal(s3.create_bucket, Bucket="abc", **in_region(region)) == (
        "InvalidLocationConstraint",
        "The specified location-constraint is not valid",
    )


def test_a_signature_for_the_wrong_region_is_told_the_right_one(s3):
    s3.create_bucket(Bucket="far", **in_region("eu-west-1"))
    assert refusal(s3.get_bucket_versioning, Bucket="far") == (
        "AuthorizationHeaderMalformed",
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'",
    )
    there = s3.by(caller_of(ACCOUNT, region="eu-west-1"))
    assert there.head_bucket(Bucket="far")["BucketRegion"] == "eu-west-1"


def test_a_host_name_of_the_wrong_region_leads_to_the_right_one_here(s3):
    s3.create_bucket(Bucket="near")
    lost = caller_of(ACCOUNT, endpoint="http://s3.eu-west-1.localhost:4566")
    code, _ = refusal(s3.by(lost).get_bucket_versioning, Bucket="near")
    assert code == "PermanentRedirect"
    assert status(s3.by(lost).head_bucket, Bucket="near") == 301


# --- whose


def test_in_us_east_1_making_ones_own_bucket_again_is_no_error(s3, store):
    s3.create_bucket(Bucket="abc")
    s3.put_bucket_tagging(Bucket="abc", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    before = store.get(Bucket, "abc")
    assert s3.create_bucket(Bucket="abc") == {"Location": "/abc"}
    assert store.get(Bucket, "abc") == before


def test_elsewhere_it_is(s3):
    there = s3.by(caller_of(ACCOUNT, region="eu-west-1"))
    there.create_bucket(Bucket="abc", **in_region("eu-west-1"))
    assert refusal(there.create_bucket, Bucket="abc", **in_region("eu-west-1")) == (
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    )
    assert refusal(s3.create_bucket, Bucket="abc")[0] == "BucketAlreadyOwnedByYou"


def test_a_name_that_somebody_has_is_taken_everywhere(s3):
    s3.create_bucket(Bucket="abc")
    there = s3.by(OTHER)
    assert refusal(there.create_bucket, Bucket="abc")[0] == "BucketAlreadyExists"
    assert status(there.create_bucket, Bucket="abc") == 409


def test_nobody_makes_buckets(s3):
    assert refusal(s3.by(NOBODY).create_bucket, Bucket="abc") == ("AccessDenied", "Access Denied")


def test_the_expected_owner_must_be_the_owner(s3):
    s3.create_bucket(Bucket="abc")
    assert s3.head_bucket(Bucket="abc", ExpectedBucketOwner=ACCOUNT)
    assert refusal(s3.get_bucket_acl, Bucket="abc", ExpectedBucketOwner="210987654321")[0] == "AccessDenied"
    assert (
        refusal(s3.get_bucket_acl, Bucket="abc", ExpectedBucketOwner="me")[0]
        == "InvalidBucketOwnerAWSAccountID"
    )


def test_a_canonical_id_can_be_read_back():
    assert account_of(canonical_id(ACCOUNT)) == ACCOUNT
    assert len(canonical_id(ACCOUNT)) == 64
    for wrong in ("", "x" * 64, canonical_id(ACCOUNT)[:-1] + "0", "0" * 54 + canonical_id(ACCOUNT)[54:]):
        assert account_of(wrong) is None


# --- there or not


def test_what_does_not_exist_is_not_found(s3):
    assert refusal(s3.get_bucket_acl, Bucket="abc") == ("NoSuchBucket", "The specified bucket does not exist")
    assert status(s3.head_bucket, Bucket="abc") == 404
    assert status(s3.delete_bucket, Bucket="abc") == 404


def test_others_are_told_that_it_exists_and_no_more(s3):
    s3.create_bucket(Bucket="abc")
    assert status(s3.by(OTHER).head_bucket, Bucket="abc") == 403
    assert refusal(s3.by(NOBODY).get_bucket_location, Bucket="abc") == ("AccessDenied", "Access Denied")


# --- lists


def test_ones_own_buckets_are_listed_by_name(s3, clock):
    for name in ("zoo", "abc", "middle"):
        s3.create_bucket(Bucket=name)
    s3.by(OTHER).create_bucket(Bucket="not-mine")
    listed = s3.list_buckets()
    assert [bucket["Name"] for bucket in listed["Buckets"]] == ["abc", "middle", "zoo"]
    assert listed["Buckets"][0] == {"Name": "abc", "CreationDate": clock.now()}
    assert listed["Owner"] == {"ID": canonical_id(ACCOUNT)}


def test_lists_come_in_pages(s3):
    names = [f"bucket-{n:02}" for n in range(25)]
    for name in names:
        s3.create_bucket(Bucket=name)
    pages = s3.every("list_buckets", PaginationConfig={"PageSize": 10})
    assert [len(page["Buckets"]) for page in pages] == [10, 10, 5]
    assert [bucket["Name"] for page in pages for bucket in page["Buckets"]] == names


def test_lists_are_narrowed_by_prefix_and_region(s3):
    s3.create_bucket(Bucket="log-a")
    s3.create_bucket(Bucket="log-b", **in_region("eu-west-1"))
    s3.create_bucket(Bucket="data")
    listed = s3.list_buckets(Prefix="log-", BucketRegion="eu-west-1")
    assert [(b["Name"], b["BucketRegion"]) for b in listed["Buckets"]] == [("log-b", "eu-west-1")]
    assert listed["Prefix"] == "log-"


@pytest.mark.parametrize("asked", [{"MaxBuckets": 0}, {"MaxBuckets": 10_001}, {"ContinuationToken": "%"}])
def test_bad_pages_are_refused(s3, asked):
    assert refusal(s3.list_buckets, **asked)[0] == "InvalidArgument"


def test_nobody_lists_buckets(s3):
    assert refusal(s3.by(NOBODY).list_buckets)[0] == "AccessDenied"


# --- removal


def test_an_empty_bucket_goes_with_all_its_settings(s3, store):
    s3.create_bucket(Bucket="abc")
    first = store.get(Bucket, "abc").bucket_id
    s3.put_bucket_tagging(Bucket="abc", Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.delete_bucket(Bucket="abc")
    assert s3.list_buckets()["Buckets"] == []
    s3.create_bucket(Bucket="abc")
    assert store.get(Bucket, "abc").bucket_id != first
    assert refusal(s3.get_bucket_tagging, Bucket="abc")[0] == "NoSuchTagSet"


def test_a_bucket_with_objects_stays(s3, store, objects):
    s3.create_bucket(Bucket="abc")
    asyncio.run(put(objects, store.get(Bucket, "abc").bucket_id))
    assert refusal(s3.delete_bucket, Bucket="abc") == (
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty",
    )
    s3.put_bucket_versioning(Bucket="abc", VersioningConfiguration={"Status": "Enabled"})
    assert refusal(s3.delete_bucket, Bucket="abc") == (
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
    )


def test_uploads_that_were_never_completed_go_with_the_bucket(s3, store, objects):
    s3.create_bucket(Bucket="abc")
    id = store.get(Bucket, "abc").bucket_id
    asyncio.run(objects.commit(id, [BeginUpload(key="a", upload_id="u", modified_ms=0, meta=b"")]))
    s3.delete_bucket(Bucket="abc")
    assert objects.usage(id).uploads == 0


def test_only_the_owner_removes_a_bucket(s3):
    s3.create_bucket(Bucket="abc")
    assert status(s3.by(OTHER).delete_bucket, Bucket="abc") == 403
    assert s3.head_bucket(Bucket="abc")


# --- defaults


def test_a_new_bucket_has_todays_defaults(s3):
    s3.create_bucket(Bucket="abc")
    owned = s3.get_bucket_ownership_controls(Bucket="abc")["OwnershipControls"]["Rules"]
    assert owned == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert set(s3.get_public_access_block(Bucket="abc")["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket="abc") == {}


def test_a_bucket_may_begin_with_tags_and_a_lock(s3):
    s3.create_bucket(
        Bucket="abc",
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"Tags": [{"Key": "team", "Value": "blue"}]},
    )
    assert s3.get_bucket_versioning(Bucket="abc") == {"Status": "Enabled"}
    assert s3.get_bucket_tagging(Bucket="abc")["TagSet"] == [{"Key": "team", "Value": "blue"}]


@pytest.mark.parametrize(
    "asked",
    [
        {"BucketNamespace": "account-regional"},
        {"CreateBucketConfiguration": {"Bucket": {"Type": "Directory"}}},
    ],
)
def test_kinds_of_buckets_that_are_not_built_are_refused(s3, asked):
    assert refusal(s3.create_bucket, Bucket="abc", **asked)[0] == "NotImplemented"


def test_an_ownership_that_is_none_is_refused(s3):
    assert refusal(s3.create_bucket, Bucket="abc", ObjectOwnership="Mine") == (
        "InvalidArgument",
        "Invalid x-amz-object-ownership header: Mine",
    )


# --- versioning and tags


def test_versioning_is_suspended_but_never_off(s3):
    s3.create_bucket(Bucket="abc")
    for word in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket="abc", VersioningConfiguration={"Status": word})
        assert s3.get_bucket_versioning(Bucket="abc") == {"Status": word}
    assert (
        refusal(s3.put_bucket_versioning, Bucket="abc", VersioningConfiguration={})[0]
        == "IllegalVersioningConfigurationException"
    )
    assert refusal(s3.put_bucket_versioning, Bucket="abc", VersioningConfiguration={"Status": "Off"})[0] == (
        "MalformedXML"
    )


def test_a_locked_bucket_keeps_its_versions(s3):
    s3.create_bucket(Bucket="abc", ObjectLockEnabledForBucket=True)
    assert refusal(
        s3.put_bucket_versioning, Bucket="abc", VersioningConfiguration={"Status": "Suspended"}
    ) == (
        "InvalidBucketState",
        "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
    )


def test_mfa_delete_needs_a_device_that_nobody_has(s3):
    s3.create_bucket(Bucket="abc")
    asked = {"Bucket": "abc", "VersioningConfiguration": {"Status": "Enabled", "MFADelete": "Enabled"}}
    assert refusal(s3.put_bucket_versioning, **asked) == (
        "AccessDenied",
        "This operation may only be performed with root and MFA authentication",
    )
    assert refusal(s3.put_bucket_versioning, **asked, MFA="serial 123456")[0] == "NotImplemented"


def test_tags_are_replaced_and_removed_as_a_whole(s3):
    s3.create_bucket(Bucket="abc")
    for tags in (
        [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}],
        [{"Key": "c", "Value": "é /=+-@:"}],
    ):
        s3.put_bucket_tagging(Bucket="abc", Tagging={"TagSet": tags})
        assert s3.get_bucket_tagging(Bucket="abc")["TagSet"] == tags
    s3.delete_bucket_tagging(Bucket="abc")
    assert refusal(s3.get_bucket_tagging, Bucket="abc") == ("NoSuchTagSet", "The TagSet does not exist")


@pytest.mark.parametrize(
    ("tags", "refused"),
    [
        ([("aws:x", "1")], ("InvalidTag", "System tags cannot be added/updated by requester")),
        ([("k" * 129, "1")], ("InvalidTag", "The TagKey you have provided is invalid")),
        ([("k", "v" * 257)], ("InvalidTag", "The TagValue you have provided is invalid")),
        ([("k", "<")], ("InvalidTag", "The TagValue you have provided is invalid")),
        ([("k", "1"), ("k", "2")], ("InvalidTag", "Cannot provide multiple Tags with the same key")),
        ([(f"k{n}", "") for n in range(51)], ("BadRequest", "Bucket tag count cannot be greater than 50")),
    ],
)
def test_bad_tags_are_refused(s3, tags, refused):
    s3.create_bucket(Bucket="abc")
    tag_set = [{"Key": key, "Value": value} for key, value in tags]
    assert refusal(s3.put_bucket_tagging, Bucket="abc", Tagging={"TagSet": tag_set}) == refused
