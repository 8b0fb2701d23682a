"""Documented examples that no cloud of today answers so, or not this one yet: why, by the example's id."""

_CLASSIC = "EC2-Classic is gone: every address is of a VPC"
_IMAGES = "an image of one's own: making images is not built"
_OTHER_REQUEST = "the answer beside it names a session that the request does not"

CANNOT_HOLD = {
    "ec2-allocate-address-2": _CLASSIC,
    "ec2-describe-addresses-1": _CLASSIC,
    "ec2-describe-addresses-3": _CLASSIC,
    "ec2-describe-account-attributes-1": _CLASSIC,
    "ec2-describe-account-attributes-2": _CLASSIC,
    "ec2-create-subnet-1": "a subnet is available at once today, as the command line's reference has it",
    "ec2-describe-availability-zones-1": "us-east-1 has six zones today",
    "ec2-describe-regions-1": "there are more regions today",
    "ec2-replace-route-1": "virtual private gateways are not built",
    "to-describe-security-group-references-1529354312088": "peering connections are not built",
    "to-describe-the-launch-permissions-for-an-ami-1529025296264": _IMAGES,
    "to-describe-an-ami-1529025482866": _IMAGES,
    "to-describe-the-instance-type-1472712432132": "t1.micro is not offered any more",
    "to-describe-the-block-device-mapping-for-an-instance-1472712645423": "a second volume is not built",
    "to-launch-an-instance-1529360150806": "a second volume is not built",
    "to-describe-all-volumes-1472506358883": "a last page has no NextToken today; the example beside it holds",
    "to-get-the-launch-template-data-for-an-instance--1529356515702": "its id is malformed, and its disk has a snapshot",
    "5e4598c7-c425-431f-8af1-19073b3c4a5f": "passwords that live for 90 days do expire, contrary to what it says",
    "9d8447af-f344-45de-8219-2cebc3cce7f2": "counts of an account in use, and quotas that have grown since",
    "5b7d03a6-340c-472d-aa77-56425950d8b0": "when a role was last used is not kept; AWS tells it hours later",
    "b3ab1380-2a21-42fb-8e85-503f65512c66": "a group whose ARN contradicts its path",
    "9edfbd73-03d8-4d8a-9a79-76c85e8c8298": "users who signed in to the console, which is not built",
    "to-assume-a-role-1480532402212": _OTHER_REQUEST,
    "to-get-temporary-credentials-for-a-role-by-using-getfederationtoken-1480540749900": _OTHER_REQUEST,
    "to-get-temporary-credentials-for-an-iam-user-or-an-aws-account-1480540814038": "MFA is not built",
}
