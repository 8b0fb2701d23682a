"""ABAC: a bucket's tags decide, and are then changed by S3 Control alone. And torrents, which are no more."""

import json

from tests.support.api import ACCOUNT, Api
from tests.unit.s3.objects.client import refused
from tests.unit.s3.objects.conftest import BUCKET, OTHER, OWNER

from cloudstead.services.s3.operations import control_parts


def test_tags_decide_once_it_is_enabled(s3, store):
    tags = {"TagSet": [{"Key": "Project", "Value": "x"}]}
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging=tags)
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    let = {
        "Effect": "Allow",
        "Principal": {"AWS": OTHER.account},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
        "Condition": {"StringEquals": {"aws:ResourceTag/Project": "x"}},
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Statement": [let]}))
    assert s3.get_bucket_abac(Bucket=BUCKET)["AbacStatus"] == {"Status": "Disabled"}
    assert refused(s3.by(OTHER).get_object, Bucket=BUCKET, Key="k").status == 403
    s3.put_bucket_abac(Bucket=BUCKET, AbacStatus={"Status": "Enabled"})
    assert s3.get_bucket_abac(Bucket=BUCKET)["AbacStatus"] == {"Status": "Enabled"}
    s3.by(OTHER).get_object(Bucket=BUCKET, Key="k")
    for call in (
        lambda: s3.put_bucket_tagging(Bucket=BUCKET, Tagging=tags),
        lambda: s3.delete_bucket_tagging(Bucket=BUCKET),
    ):
        assert refused(call).code == "InvalidRequest"
    control = Api("s3control", *control_parts(store), caller=OWNER)
    control.untag_resource(AccountId=ACCOUNT, ResourceArn=f"arn:aws:s3:::{BUCKET}", TagKeys=["Project"])
    assert refused(s3.by(OTHER).get_object, Bucket=BUCKET, Key="k").status == 403


def test_there_are_no_torrents_any_more(s3):
    s3.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    refusal = refused(s3.get_object_torrent, Bucket=BUCKET, Key="k")
    assert (refusal.status, refusal.code) == (405, "MethodNotAllowed")
    assert refused(s3.get_object_torrent, Bucket=BUCKET, Key="none").code == "NoSuchKey"
