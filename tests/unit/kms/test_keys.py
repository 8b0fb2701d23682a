"""Keys from the day they are made to the day they go."""

import pytest
from tests.support.api import ACCOUNT, refusal
from tests.unit.kms.conftest import DAY_S, STRANGER

from cloudstead.services.kms.rows import Alias, Key


def described(kms, name):
    return kms.describe_key(KeyId=name)["KeyMetadata"]


def test_a_key_is_described_as_aws_describes_it(kms):
    made = kms.create_key(Description="mine", Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]
    assert made["Arn"] == f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{made['KeyId']}"
    assert {name: made[name] for name in ("KeyState", "KeyManager", "KeySpec", "Origin", "MultiRegion")} == {
        "KeyState": "Enabled",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "Origin": "AWS_KMS",
        "MultiRegion": False,
    }
    assert "DeletionDate" not in made
    assert described(kms, made["KeyId"]) == described(kms, made["Arn"]) == made
    assert kms.list_resource_tags(KeyId=made["KeyId"])["Tags"] == [{"TagKey": "a", "TagValue": "1"}]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("none", "NotFoundException", "Invalid keyId 'none'"),
        (
            "00000000-0000-0000-0000-000000000000",
            "NotFoundException",
            f"Key 'arn:aws:kms:us-east-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000' does not exist",
        ),
        (
            f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000",
            "NotFoundException",
            "Invalid arn eu-west-1",
        ),
        (
            "alias/none",
            "NotFoundException",
            f"Alias arn:aws:kms:us-east-1:{ACCOUNT}:alias/none is not found.",
        ),
        ("arn:aws:s3:::abc", "InvalidArnException", "Invalid arn arn:aws:s3:::abc"),
    ],
)
def test_a_key_that_is_not_there_is_told_in_aws_s_words(kms, name, code, message):
    assert refusal(kms.describe_key, KeyId=name) == (code, message)


@pytest.mark.parametrize(
    "asked",
    [
        {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
        {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
        {"Origin": "EXTERNAL"},
        {"MultiRegion": True},
    ],
)
def test_what_is_not_built_names_itself(kms, asked):
    code, message = refusal(kms.create_key, **asked)
    assert code == "NotImplemented"
    assert "not built" in message


def test_a_disabled_key_works_again_when_it_is_enabled(kms, key):
    kms.disable_key(KeyId=key)
    assert described(kms, key)["KeyState"] == "Disabled"
    arn = described(kms, key)["Arn"]
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x") == ("DisabledException", f"{arn} is disabled.")
    kms.enable_key(KeyId=key)
    assert kms.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == arn


def test_a_key_goes_for_good_when_its_time_is_over(kms, store, key, clock, controller):
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    told = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert (told["KeyState"], told["PendingWindowInDays"]) == ("PendingDeletion", 7)
    assert described(kms, key)["DeletionDate"] == told["DeletionDate"]
    assert refusal(kms.decrypt, CiphertextBlob=sealed) == (
        "KMSInvalidStateException",
        f"{told['KeyId']} is pending deletion.",
    )
    clock.advance(7 * DAY_S - 2)
    controller()
    assert described(kms, key)["KeyState"] == "PendingDeletion"
    clock.advance(3)
    assert refusal(kms.describe_key, KeyId=key)[0] == "NotFoundException"
    assert store.rows(Key)
    controller()
    assert store.rows(Key) == store.rows(Alias) == []
    assert refusal(kms.decrypt, CiphertextBlob=sealed)[0] == "AccessDeniedException"


def test_a_deletion_can_be_called_off(kms, key, clock, controller):
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert refusal(kms.cancel_key_deletion, KeyId=key)[0] == "KMSInvalidStateException"
    assert refusal(kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=6)[0] == "ValidationException"
    kms.schedule_key_deletion(KeyId=key)
    for call in (kms.enable_key, kms.disable_key, kms.schedule_key_deletion, kms.rotate_key_on_demand):
        assert refusal(call, KeyId=key)[0] == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=key)
    clock.advance(400 * DAY_S)
    controller()
    assert described(kms, key)["KeyState"] == "Disabled"
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"


def test_keys_and_aliases_are_listed_page_by_page(kms):
    keys = sorted(kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(5))
    pages = [kms.list_keys(Limit=2)]
    while pages[-1]["Truncated"]:
        pages.append(kms.list_keys(Limit=2, Marker=pages[-1]["NextMarker"]))
    assert [each["KeyId"] for page in pages for each in page["Keys"]] == keys
    for n, key in enumerate(keys):
        kms.create_alias(AliasName=f"alias/{n}", TargetKeyId=key)
    assert [each["AliasName"] for each in kms.list_aliases(KeyId=keys[1])["Aliases"]] == ["alias/1"]
    assert len(kms.list_aliases()["Aliases"]) == 5
    assert refusal(kms.list_keys, Marker="?")[0] == "InvalidMarkerException"


def test_an_alias_moves_and_goes(kms, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    assert refusal(kms.create_alias, AliasName="alias/mine", TargetKeyId=other)[0] == "AlreadyExistsException"
    assert described(kms, "alias/mine")["KeyId"] == key
    kms.update_alias(AliasName="alias/mine", TargetKeyId=other)
    assert described(kms, f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/mine")["KeyId"] == other
    assert refusal(kms.disable_key, KeyId="alias/mine") == (
        "NotFoundException",
        "Invalid keyId 'alias/mine'",
    )
    kms.delete_alias(AliasName="alias/mine")
    assert refusal(kms.delete_alias, AliasName="alias/mine")[0] == "NotFoundException"
    assert refusal(kms.create_alias, AliasName="mine", TargetKeyId=key)[0] == "ValidationException"
    assert refusal(kms.create_alias, AliasName="alias/aws/s3", TargetKeyId=key)[0] == "NotAuthorizedException"


def test_aws_manages_a_key_from_its_first_use_and_nobody_else_does(kms):
    made = described(kms, "alias/aws/s3")
    assert made["KeyManager"] == "AWS"
    assert described(kms, "alias/aws/s3") == made
    assert kms.get_key_rotation_status(KeyId=made["KeyId"])["KeyRotationEnabled"] is True
    assert "kms:ViaService" in kms.get_key_policy(KeyId=made["KeyId"])["Policy"]
    for call in (kms.disable_key, kms.schedule_key_deletion, kms.disable_key_rotation):
        assert refusal(call, KeyId=made["KeyId"])[0] == "AccessDeniedException"
    assert refusal(kms.encrypt, KeyId="alias/aws/s3", Plaintext=b"x")[0] == "AccessDeniedException"
    assert refusal(kms.describe_key, KeyId="alias/aws/none")[0] == "NotFoundException"


def test_tags_come_and_go(kms, key):
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "b", "TagValue": "1"}, {"TagKey": "a", "TagValue": ""}])
    kms.untag_resource(KeyId=key, TagKeys=["b", "none"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "a", "TagValue": ""}]
    wrong = [{"TagKey": "aws:x", "TagValue": ""}]
    assert refusal(kms.tag_resource, KeyId=key, Tags=wrong)[0] == "TagException"
    many = [{"TagKey": str(n), "TagValue": ""} for n in range(50)]
    assert refusal(kms.tag_resource, KeyId=key, Tags=many)[0] == "LimitExceededException"


def test_keys_of_others_are_not_seen(kms, key):
    stranger = kms.by(STRANGER)
    assert stranger.list_keys()["Keys"] == []
    assert refusal(stranger.describe_key, KeyId=key)[0] == "NotFoundException"
