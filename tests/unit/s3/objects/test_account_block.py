"""The account's own block on public access, and tags by ARN: S3 Control, over the same buckets."""

import json

import pytest
from tests.support.api import ACCOUNT, Api, refusal
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, NOBODY, OTHER, OWNER

from cloudstead.services.s3.operations import control_parts

ARN = f"arn:aws:s3:::{BUCKET}"
MINE = {"AccountId": ACCOUNT}
PUBLIC_READ = json.dumps(
    {
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{ARN}/*"},
            {
                "Effect": "Allow",
                "Principal": {"AWS": OTHER.account},
                "Action": "s3:PutObject",
                "Resource": f"{ARN}/*",
            },
        ]
    }
)


@pytest.fixture
def control(store):
    return Api("s3control", *control_parts(store), caller=OWNER)


def block(control, **settings):
    control.put_public_access_block(**MINE, PublicAccessBlockConfiguration=settings)


def test_a_new_account_blocks_nothing_and_a_block_can_be_taken_away(control):
    assert refusal(control.get_public_access_block, **MINE)[0] == "NoSuchPublicAccessBlockConfiguration"
    block(control, BlockPublicAcls=True)
    assert control.get_public_access_block(**MINE)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    control.delete_public_access_block(**MINE)
    control.delete_public_access_block(**MINE)
    assert refusal(control.get_public_access_block, **MINE)[0] == "NoSuchPublicAccessBlockConfiguration"


def test_nobody_says_what_another_account_blocks(control):
    for call in (control.by(OTHER).get_public_access_block, control.by(OTHER).delete_public_access_block):
        assert refusal(call, **MINE)[0] == "AccessDenied"


def test_public_lists_are_refused_and_ignored(old_s3, control):
    old_s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", ACL="public-read")
    old_s3.by(NOBODY).get_object(Bucket=BUCKET, Key="k")
    block(control, IgnorePublicAcls=True)
    assert refused(old_s3.by(NOBODY).get_object, Bucket=BUCKET, Key="k").status == 403
    block(control, BlockPublicAcls=True)
    old_s3.by(NOBODY).get_object(Bucket=BUCKET, Key="k")
    for call in (
        lambda: old_s3.put_object(Bucket=BUCKET, Key="k", Body=b"x", ACL="public-read"),
        lambda: old_s3.put_object_acl(Bucket=BUCKET, Key="k", ACL="public-read"),
        lambda: old_s3.put_bucket_acl(Bucket=BUCKET, ACL="public-read"),
    ):
        assert refused(call).code == "AccessDenied"
    refusal = refused(old_s3.create_bucket, Bucket="another-one", ACL="public-read")
    assert refusal.code == "InvalidBucketAclWithBlockPublicAccessError"


def test_public_policies_are_refused_and_give_strangers_nothing(old_s3, control):
    old_s3.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    old_s3.put_bucket_policy(Bucket=BUCKET, Policy=PUBLIC_READ)
    old_s3.by(NOBODY).get_object(Bucket=BUCKET, Key="k")
    block(control, RestrictPublicBuckets=True)
    for stranger in (NOBODY, OTHER):
        assert refused(old_s3.by(stranger).get_object, Bucket=BUCKET, Key="k").status == 403
    old_s3.get_object(Bucket=BUCKET, Key="k")
    block(control, BlockPublicPolicy=True)
    assert refused(old_s3.put_bucket_policy, Bucket=BUCKET, Policy=PUBLIC_READ).code == "AccessDenied"
    old_s3.by(NOBODY).get_object(Bucket=BUCKET, Key="k")


def test_a_bucket_s_own_block_holds_whatever_its_account_says(s3, control):
    block(control)
    assert refused(s3.put_bucket_policy, Bucket=BUCKET, Policy=PUBLIC_READ).code == "AccessDenied"


def test_tags_of_a_bucket_are_added_and_removed_one_by_one(s3, control):
    it = {**MINE, "ResourceArn": ARN}
    control.tag_resource(**it, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    control.tag_resource(**it, Tags=[{"Key": "b", "Value": "3"}])
    assert s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == control.list_tags_for_resource(**it)["Tags"]
    control.untag_resource(**it, TagKeys=["a", "none"])
    assert control.list_tags_for_resource(**it)["Tags"] == [{"Key": "b", "Value": "3"}]
    many = [{"Key": str(n), "Value": ""} for n in range(50)]
    assert refusal(control.tag_resource, **it, Tags=many)[0] == "InvalidRequest"
    nowhere = {**MINE, "ResourceArn": "arn:aws:s3:::no-such-bucket"}
    assert refusal(control.list_tags_for_resource, **nowhere)[0] == "NoSuchResource"
    other = {"AccountId": OTHER.account, "ResourceArn": ARN}
    assert refusal(control.by(OTHER).list_tags_for_resource, **other)[0] == "NoSuchResource"
