"""Key pairs: what is made is what ssh takes, and fingerprints are those of the tools AWS names."""

import base64
import random
import shutil
import subprocess

import pytest

from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.errors import ServiceError
from cloudstead.core.tools import Tools
from cloudstead.services.ec2.key_pairs import KeyPairs
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Store

CALLER = Caller(
    account="123456789012", region="us-east-1", arn="arn:aws:iam::123456789012:root", user_id="123456789012"
)
needs_tools = pytest.mark.skipif(
    not (shutil.which("ssh-keygen") and shutil.which("openssl")), reason="needs ssh-keygen and openssl"
)


@pytest.fixture
def pairs():
    return KeyPairs(Resources(Store(None), Tools(clock=ManualClock(), random=random.Random(7))))


def output(*words, given=None):
    return subprocess.run(words, input=given, capture_output=True, check=True, timeout=20).stdout


def saved(tmp_path, material):
    path = tmp_path / "key"
    path.write_text(material + "\n")
    path.chmod(0o600)
    return path


@needs_tools
def test_a_created_rsa_key_has_the_sha1_of_its_private_half_for_fingerprint(pairs, tmp_path):
    made = pairs.create_key_pair(CALLER, {"KeyName": "mine"})
    assert made["KeyMaterial"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    path = saved(tmp_path, made["KeyMaterial"])
    der = output("openssl", "pkcs8", "-in", path, "-inform", "PEM", "-outform", "DER", "-topk8", "-nocrypt")
    digest = output("openssl", "sha1", "-c", given=der).decode().split("= ")[1].strip()
    assert made["KeyFingerprint"] == digest


@needs_tools
def test_a_created_ed25519_key_has_the_fingerprint_openssh_shows(pairs, tmp_path):
    made = pairs.create_key_pair(CALLER, {"KeyName": "mine", "KeyType": "ed25519"})
    path = saved(tmp_path, made["KeyMaterial"])
    shown = output("ssh-keygen", "-lf", path).decode().split()[1]
    assert made["KeyFingerprint"].rstrip("=") == shown.removeprefix("SHA256:")


@needs_tools
@pytest.mark.parametrize("form", ["openssh", "RFC4716", "PKCS8", "der"])
def test_an_imported_rsa_key_has_the_md5_of_its_public_half_for_fingerprint(pairs, tmp_path, form):
    output(
        "ssh-keygen",
        "-q",
        "-t",
        "rsa",
        "-b",
        "2048",
        "-m",
        "PEM",
        "-N",
        "",
        "-C",
        "a comment",
        "-f",
        tmp_path / "key",
    )
    der = output("openssl", "rsa", "-in", tmp_path / "key", "-pubout", "-outform", "DER")
    digest = output("openssl", "md5", "-c", given=der).decode().split("= ")[1].strip()
    if form == "openssh":
        material = (tmp_path / "key.pub").read_bytes()
    elif form == "der":
        material = base64.encodebytes(der)
    else:
        material = output("ssh-keygen", "-e", "-m", form, "-f", tmp_path / "key.pub")
    made = pairs.import_key_pair(CALLER, {"KeyName": "mine", "PublicKeyMaterial": material})
    assert made["KeyFingerprint"] == digest
    shown = pairs.describe_key_pairs(CALLER, {"KeyNames": ["mine"], "IncludePublicKey": True})["KeyPairs"][0]
    assert shown["PublicKey"].split()[:2] == (tmp_path / "key.pub").read_text().split()[:2]
    assert shown["PublicKey"].split()[2] == "mine"


@needs_tools
def test_an_imported_ed25519_key_has_the_fingerprint_openssh_shows(pairs, tmp_path):
    output("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    made = pairs.import_key_pair(
        CALLER, {"KeyName": "mine", "PublicKeyMaterial": (tmp_path / "key.pub").read_bytes()}
    )
    shown = output("ssh-keygen", "-lf", tmp_path / "key").decode().split()[1]
    assert made["KeyFingerprint"].rstrip("=") == shown.removeprefix("SHA256:")


@pytest.mark.parametrize("material", [b"", b"ssh-rsa", b"ssh-rsa AAAA", b"garbage", b"ssh-ed25519 !!!"])
def test_what_is_no_key_is_refused(pairs, material):
    with pytest.raises(ServiceError) as refused:
        pairs.import_key_pair(CALLER, {"KeyName": "mine", "PublicKeyMaterial": material})
    assert refused.value.code == "InvalidKey.Format"
    assert refused.value.message == "Key is not in valid OpenSSH public key format"


@pytest.mark.parametrize("type", ["rsa", "ed25519"])
def test_putty_gets_its_own_form(pairs, type):
    material = pairs.create_key_pair(CALLER, {"KeyName": "mine", "KeyType": type, "KeyFormat": "ppk"})[
        "KeyMaterial"
    ]
    lines = material.split("\r\n")
    assert lines[0] == f"PuTTY-User-Key-File-2: ssh-{type}"
    assert lines[1:3] == ["Encryption: none", "Comment: mine"]
    public = pairs.describe_key_pairs(CALLER, {"IncludePublicKey": True})["KeyPairs"][0]["PublicKey"].split()[
        1
    ]
    count = int(lines[3].removeprefix("Public-Lines: "))
    assert "".join(lines[4 : 4 + count]) == public


def test_a_name_is_taken_once_in_each_region(pairs):
    pairs.create_key_pair(CALLER, {"KeyName": "mine", "KeyType": "ed25519"})
    with pytest.raises(ServiceError) as refused:
        pairs.create_key_pair(CALLER, {"KeyName": "mine", "KeyType": "ed25519"})
    assert (refused.value.code, refused.value.message) == (
        "InvalidKeyPair.Duplicate",
        "The keypair already exists",
    )
    elsewhere = Caller(account="123456789012", region="eu-west-1", arn="", user_id="")
    pairs.create_key_pair(elsewhere, {"KeyName": "mine", "KeyType": "ed25519"})


def test_one_that_is_not_there_is_not_found_but_deleted_all_the_same(pairs):
    with pytest.raises(ServiceError) as refused:
        pairs.describe_key_pairs(CALLER, {"KeyNames": ["mine"]})
    assert refused.value.code == "InvalidKeyPair.NotFound"
    assert refused.value.message == "The key pair 'mine' does not exist"
    assert pairs.delete_key_pair(CALLER, {"KeyName": "mine"}) == {"Return": True}


def test_filters_and_tags(pairs):
    tags = [{"ResourceType": "key-pair", "Tags": [{"Key": "team", "Value": "a"}]}]
    one = pairs.create_key_pair(CALLER, {"KeyName": "one", "KeyType": "ed25519", "TagSpecifications": tags})
    pairs.create_key_pair(CALLER, {"KeyName": "two", "KeyType": "ed25519"})

    def names(name, value):
        found = pairs.describe_key_pairs(CALLER, {"Filters": [{"Name": name, "Values": [value]}]})
        return [pair["KeyName"] for pair in found["KeyPairs"]]

    assert names("key-name", "t*") == ["two"]
    assert names("tag:team", "a") == ["one"]
    assert names("fingerprint", one["KeyFingerprint"]) == ["one"]
    assert names("key-pair-id", one["KeyPairId"]) == ["one"]
    assert pairs.delete_key_pair(CALLER, {"KeyPairId": one["KeyPairId"]})["KeyPairId"] == one["KeyPairId"]
    assert names("key-name", "*") == ["two"]
