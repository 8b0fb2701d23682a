"""Really encrypted, really opened, and by nobody else."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.api import ROOT, refusal
from tests.unit.kms.conftest import DAY_S, SEALING_KEY, STRANGER

from cloudstead.services.kms.rows import Key
from cloudstead.services.kms.sealing import Named, Unreadable, decrypted, encrypted, named

CONTEXT = {"purpose": "test", "b": "ä"}


def test_what_was_encrypted_opens_with_its_context_alone(kms, key):
    made = kms.encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=CONTEXT)
    sealed = made["CiphertextBlob"]
    assert b"secret" not in sealed
    turned = dict(reversed(CONTEXT.items()))
    opened = kms.decrypt(CiphertextBlob=sealed, EncryptionContext=turned)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"secret", made["KeyId"])
    for wrong in ({}, {"purpose": "test"}, {**CONTEXT, "c": ""}):
        told = refusal(kms.decrypt, CiphertextBlob=sealed, EncryptionContext=wrong)
        assert told[0] == "InvalidCiphertextException"


@given(where=st.integers(min_value=0), bit=st.integers(0, 7), text=st.binary(min_size=1, max_size=64))
@settings(max_examples=100, deadline=None)
def test_no_bit_of_a_ciphertext_can_be_changed(where, bit, text):
    import random

    by = Named("00000000-0000-4000-8000-000000000000", 0)
    sealed = bytearray(encrypted(SEALING_KEY, by, text, CONTEXT, random.Random(1)))
    assert decrypted(SEALING_KEY, bytes(sealed), CONTEXT) == text
    sealed[where % len(sealed)] ^= 1 << bit
    with pytest.raises(Unreadable):
        named(bytes(sealed))
        decrypted(SEALING_KEY, bytes(sealed), CONTEXT)


@pytest.mark.parametrize("wrong", [b"x", b"\x01" * 60, bytes(100)])
def test_what_is_no_ciphertext_is_refused(kms, wrong):
    assert refusal(kms.decrypt, CiphertextBlob=wrong)[0] in (
        "InvalidCiphertextException",
        "AccessDeniedException",
    )


def test_another_key_than_the_one_named_opens_nothing(kms, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed, KeyId=key)["Plaintext"] == b"x"
    assert refusal(kms.decrypt, CiphertextBlob=sealed, KeyId=other)[0] == "IncorrectKeyException"


def test_a_text_goes_from_key_to_key(kms, key):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=sealed,
        SourceEncryptionContext=CONTEXT,
        DestinationKeyId=other,
        DestinationEncryptionContext={"new": "1"},
    )
    assert moved["KeyId"] == other
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"new": "1"})
    assert (opened["Plaintext"], opened["KeyId"]) == (b"x", other)


def test_data_keys_have_the_size_that_was_asked_for(kms, key):
    for asked, size in (
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": 64}, 64),
    ):
        made = kms.generate_data_key(KeyId=key, **asked)
        assert len(made["Plaintext"]) == size
        assert kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"]
        blind = kms.generate_data_key_without_plaintext(KeyId=key, **asked)
        assert "Plaintext" not in blind
        assert len(kms.decrypt(CiphertextBlob=blind["CiphertextBlob"])["Plaintext"]) == size
    message = "Please specify either number of bytes or key spec."
    assert refusal(kms.generate_data_key, KeyId=key) == ("ValidationException", message)
    both = {"KeySpec": "AES_256", "NumberOfBytes": 32}
    assert refusal(kms.generate_data_key, KeyId=key, **both) == ("ValidationException", message)


def test_chance_comes_in_the_size_that_was_asked_for(kms):
    assert len(kms.generate_random(NumberOfBytes=12)["Plaintext"]) == 12
    assert refusal(kms.generate_random) == ("ValidationException", "NumberOfBytes is required.")


def test_a_dry_run_says_that_it_was_one(kms, key):
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x", DryRun=True)[0] == "DryRunOperationException"
    wrong = {"EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x", **wrong)[0] == "InvalidKeyUsageException"


def test_material_lies_sealed_and_opens_under_no_other_key_nor_in_another_place(kms, store, tools, key):
    from cryptography.exceptions import InvalidTag

    from cloudstead.services.kms.sealing import Seal

    (row,) = store.rows(Key)
    material = Seal(SEALING_KEY).open(row.materials[0].sealed, row.id)
    assert material not in msgspec.msgpack.encode(row)
    for seal, place in ((Seal(bytes(32)), row.id), (Seal(SEALING_KEY), row.id[:-1] + "0f")):
        with pytest.raises(InvalidTag):
            seal.open(row.materials[0].sealed, place)


# --- rotation


def test_what_was_encrypted_before_a_rotation_still_opens(kms, key, clock, controller):
    old = kms.encrypt(KeyId=key, Plaintext=b"old")
    before = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    clock.advance(89 * DAY_S)
    controller()
    assert kms.list_key_rotations(KeyId=key)["Rotations"] == []
    clock.advance(2 * DAY_S)
    controller()
    controller()
    assert [each["RotationType"] for each in kms.list_key_rotations(KeyId=key)["Rotations"]] == ["AUTOMATIC"]
    after = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    new = kms.encrypt(KeyId=key, Plaintext=b"new")
    opened = kms.decrypt(CiphertextBlob=old["CiphertextBlob"])
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"old", before)
    assert kms.decrypt(CiphertextBlob=new["CiphertextBlob"])["KeyMaterialId"] == after != before
    again = kms.get_key_rotation_status(KeyId=key)["NextRotationDate"]
    assert again - status["NextRotationDate"] == timedelta(days=90)


def test_a_rotation_can_be_had_at_once_but_not_for_ever(kms, key):
    for _ in range(25):
        kms.rotate_key_on_demand(KeyId=key)
    assert refusal(kms.rotate_key_on_demand, KeyId=key)[0] == "LimitExceededException"
    everything = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [each["KeyMaterialState"] for each in everything] == ["NON_CURRENT"] * 25 + ["CURRENT"]
    kms.enable_key_rotation(KeyId=key)
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


# --- key policies


def policy(*statements):
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": ROOT.arn},
        "Action": "kms:*",
        "Resource": "*",
    }
    return msgspec.json.encode({"Version": "2012-10-17", "Statement": [root, *statements]}).decode()


def test_a_policy_lets_strangers_use_a_key_and_not_manage_it(kms, key):
    arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    stranger = kms.by(STRANGER)
    assert refusal(stranger.encrypt, KeyId=arn, Plaintext=b"x")[0] == "AccessDeniedException"
    let = {"Effect": "Allow", "Principal": {"AWS": STRANGER.account}, "Action": "kms:*", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=policy(let))
    sealed = stranger.encrypt(KeyId=arn, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    assert refusal(stranger.disable_key, KeyId=arn)[0] == "AccessDeniedException"


def test_a_policy_denies_within_the_account_by_context(kms, key):
    no = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"kms:EncryptionContext:purpose": "test"}},
    }
    kms.put_key_policy(KeyId=key, Policy=policy(no))
    for context, opens in ((CONTEXT, True), ({"purpose": "other"}, False)):
        sealed = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
        if opens:
            assert kms.decrypt(CiphertextBlob=sealed, EncryptionContext=context)["Plaintext"] == b"x"
        else:
            code, text = refusal(kms.decrypt, CiphertextBlob=sealed, EncryptionContext=context)
            assert code == "AccessDeniedException"
            assert text.endswith("with an explicit deny in a resource-based policy")


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        '{"Statement":[]}',
        '{"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}',
        '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"bob"},"Action":"kms:*","Resource":"*"}]}',
        '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}',
        '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}',
    ],
)
def test_a_policy_that_is_none_or_locks_everybody_out_is_refused(kms, key, wrong):
    before = kms.get_key_policy(KeyId=key)
    assert refusal(kms.put_key_policy, KeyId=key, Policy=wrong)[0] == "MalformedPolicyDocumentException"
    assert refusal(kms.create_key, Policy=wrong)[0] == "MalformedPolicyDocumentException"
    assert kms.get_key_policy(KeyId=key) == before
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    assert refusal(kms.get_key_policy, KeyId=key, PolicyName="other")[0] == "NotFoundException"


def test_who_says_so_may_lock_everybody_out(kms, key):
    last = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}'
    kms.put_key_policy(KeyId=key, Policy=last, BypassPolicyLockoutSafetyCheck=True)
    assert kms.get_key_policy(KeyId=key)["Policy"] == last
