"""Access keys: how many, whose, whether they work, and when they were last used."""

import pytest
from tests.support.api import ACCOUNT, refusal

from cloudstead.services.iam import keys
from cloudstead.services.iam.credentials import StoredCredentials, ensure_root
from cloudstead.services.iam.uses import KeyUses
from cloudstead.store import Store
from cloudstead.store.sqlite import OutOfSpace


def create(iam, name="ann"):
    return iam.create_access_key(UserName=name)["AccessKey"]


@pytest.fixture
def iam(world):
    world.iam.create_user(UserName="ann")
    return world.iam


def test_a_key_is_told_once_and_names_its_account(iam, world):
    made = create(iam)
    assert (made["UserName"], made["Status"], made["CreateDate"]) == ("ann", "Active", world.clock.now())
    assert len(made["SecretAccessKey"]) == 40
    assert len(made["AccessKeyId"]) == 20
    assert keys.account_of(made["AccessKeyId"]) == ACCOUNT
    (listed,) = iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]
    assert listed == {name: made[name] for name in ("UserName", "AccessKeyId", "Status", "CreateDate")}


def test_a_user_has_two_keys_at_most(iam):
    first = create(iam)
    create(iam)
    assert refusal(iam.create_access_key, UserName="ann") == (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    )
    iam.delete_access_key(UserName="ann", AccessKeyId=first["AccessKeyId"])
    create(iam)


def test_an_inactive_key_still_counts_and_says_so(iam, world):
    made = create(iam)
    iam.update_access_key(UserName="ann", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    assert iam.list_access_keys(UserName="ann")["AccessKeyMetadata"][0]["Status"] == "Inactive"
    found = world.credentials.find(made["AccessKeyId"])
    assert (found.active, found.secret_access_key) == (False, made["SecretAccessKey"])
    iam.update_access_key(UserName="ann", AccessKeyId=made["AccessKeyId"], Status="Active")
    assert world.credentials.find(made["AccessKeyId"]).active


def test_a_key_is_found_only_at_its_owner(iam):
    made = create(iam)
    iam.create_user(UserName="bob")
    asked = {"UserName": "bob", "AccessKeyId": made["AccessKeyId"]}
    missing = ("NoSuchEntity", f"The Access Key with id {made['AccessKeyId']} cannot be found.")
    assert refusal(iam.delete_access_key, **asked) == missing
    assert refusal(iam.update_access_key, **asked, Status="Inactive") == missing


def test_a_user_who_names_nobody_means_itself(iam, world):
    ann = world.caller(create(iam)["AccessKeyId"])
    assert iam.by(ann).create_access_key()["AccessKey"]["UserName"] == "ann"
    assert len(iam.by(ann).list_access_keys()["AccessKeyMetadata"]) == 2


def test_the_root_user_has_keys_of_its_own(iam, world):
    made = iam.create_access_key()["AccessKey"]
    found = world.credentials.find(made["AccessKeyId"])
    assert (found.principal, found.arn, found.user_id) == ("root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    assert refusal(iam.create_access_key)[0] == "LimitExceeded"
    assert {one["AccessKeyId"] for one in iam.list_access_keys()["AccessKeyMetadata"]} == {
        world.root_key,
        made["AccessKeyId"],
    }


def test_a_deleted_key_is_nobodys(iam, world):
    made = create(iam)
    iam.delete_access_key(UserName="ann", AccessKeyId=made["AccessKeyId"])
    assert world.credentials.find(made["AccessKeyId"]) is None
    assert world.credentials.find("AKIANOBODY") is None
    assert world.credentials.find("") is None


def test_the_root_key_is_made_once(world, tmp_path):
    with Store(tmp_path / "state.sqlite") as first, Store(tmp_path / "state.sqlite") as second:
        made = ensure_root(first, world.tools, ACCOUNT)
        assert ensure_root(second, world.tools, ACCOUNT) == made
        assert StoredCredentials(second).find(made[0]).secret_access_key == made[1]


# --- last use


def last_use(iam, key):
    return iam.get_access_key_last_used(AccessKeyId=key)["AccessKeyLastUsed"]


def test_a_key_tells_when_and_where_it_was_last_used_to_a_quarter_of_an_hour(iam, world):
    key = create(iam)["AccessKeyId"]
    assert last_use(iam, key) == {"ServiceName": "N/A", "Region": "N/A"}
    uses = KeyUses(world.store, world.clock)
    ann = world.caller(key)
    uses.note(ann, "ec2")
    first_at = world.clock.now()
    assert last_use(iam, key) == {"LastUsedDate": first_at, "ServiceName": "ec2", "Region": "us-east-1"}
    world.clock.advance(899)
    uses.note(ann, "s3")
    assert last_use(iam, key)["ServiceName"] == "ec2"
    world.clock.advance(1)
    uses.note(ann, "s3")
    assert last_use(iam, key)["ServiceName"] == "s3"
    assert iam.get_access_key_last_used(AccessKeyId=key)["UserName"] == "ann"


def test_a_full_disk_keeps_nobody_from_using_a_key(iam, world):
    ann = world.caller(create(iam)["AccessKeyId"])
    pages = world.store._connection.execute("PRAGMA page_count").fetchone()[0]
    world.store._connection.execute(f"PRAGMA max_page_count = {pages}")
    more_than_a_page = "x" * 5000
    with pytest.raises(OutOfSpace):
        KeyUses(world.store, world.clock)._write(ann, more_than_a_page)
    KeyUses(world.store, world.clock).note(ann, more_than_a_page)
    assert last_use(iam, ann.access_key_id)["ServiceName"] == "N/A"


def test_a_strangers_key_tells_nothing(iam):
    code, message = refusal(iam.get_access_key_last_used, AccessKeyId="AKIAIOSFODNN7EXAMPLE")
    assert code == "AccessDenied"
    assert "iam:GetAccessKeyLastUsed" in message


def test_uses_of_temporary_keys_are_not_kept(iam, world):
    ann = world.caller(create(iam)["AccessKeyId"])
    session = world.sts.by(ann).get_session_token()["Credentials"]["AccessKeyId"]
    KeyUses(world.store, world.clock).note(world.caller(session), "ec2")
    assert refusal(iam.get_access_key_last_used, AccessKeyId=session)[0] == "AccessDenied"


# --- who is gone


def test_sessions_of_a_user_end_with_the_user(iam, world):
    key = create(iam)["AccessKeyId"]
    ann = world.sts.by(world.caller(key))
    made = [
        ann.get_session_token()["Credentials"]["AccessKeyId"],
        ann.get_federation_token(Name="bob")["Credentials"]["AccessKeyId"],
    ]
    assert all(world.credentials.find(one) for one in made)
    iam.delete_access_key(UserName="ann", AccessKeyId=key)
    assert all(world.credentials.find(one) for one in made)
    iam.delete_user(UserName="ann")
    assert not any(world.credentials.find(one) for one in made)


def test_sessions_of_a_role_end_with_the_role(iam, world):
    ann = world.caller(create(iam)["AccessKeyId"])
    from tests.support.identity import allow

    keys = world.assume(ann, world.role("deploy", allow({"AWS": ACCOUNT})))["Credentials"]
    assert world.credentials.find(keys["AccessKeyId"])
    iam.delete_role(RoleName="deploy")
    assert world.credentials.find(keys["AccessKeyId"]) is None


def test_sessions_of_the_root_user_need_nobody(world):
    root = world.sts.by(world.caller(world.root_key))
    keys = root.get_session_token()["Credentials"]
    assert world.credentials.find(keys["AccessKeyId"]).principal == "root"
