"""What can be changed of a registration, and what is told of it."""

import pytest
from tests.support.api import refusal
from tests.unit.route53domains.conftest import ANN

#: The key and the DS record of RFC 6605, section 6.1.
RFC_KEY = "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
RFC_TAG, RFC_DIGEST = 55648, "B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17"


@pytest.fixture
def domain(world):
    world.register("example.net")
    return "example.net"


def done(world, call, **asked):
    id = call(DomainName="example.net", **asked)["OperationId"]
    world.settle()
    assert world.status(id) == "SUCCESSFUL"
    return world.detail("example.net")


def test_name_servers_are_replaced(world, domain):
    servers = [
        {"Name": "NS1.example.net.", "GlueIps": ["192.0.2.1", "2001:db8::1"]},
        {"Name": "ns.example.org"},
    ]
    detail = done(world, world.api.update_domain_nameservers, Nameservers=servers)
    assert detail["Nameservers"] == [
        {"Name": "ns1.example.net", "GlueIps": ["192.0.2.1", "2001:db8::1"]},
        {"Name": "ns.example.org", "GlueIps": []},
    ]


@pytest.mark.parametrize(
    "servers",
    [
        [],
        [{"Name": "ns1.example.net"}],
        [{"Name": "ns.example.org", "GlueIps": ["192.0.2.1"]}],
        [{"Name": "ns1.example.net", "GlueIps": ["192.0.2.1", "192.0.2.2"]}],
        [{"Name": "ns1.example.net", "GlueIps": ["192.0.2"]}],
        [{"Name": "ns.example.org"}, {"Name": "NS.example.org"}],
        [{"Name": "one_label"}],
        [{"Name": f"ns{n}.example.org"} for n in range(14)],
    ],
)
def test_name_servers_that_nobody_could_reach_are_refused(world, domain, servers):
    asked = {"DomainName": domain, "Nameservers": servers}
    assert refusal(world.api.update_domain_nameservers, **asked)[0] == "InvalidInput"


def test_a_key_becomes_the_ds_record_that_resolvers_compare_with(world, domain):
    key = {"Algorithm": 13, "Flags": 257, "PublicKey": RFC_KEY}
    (shown,) = done(world, world.api.associate_delegation_signer_to_domain, SigningAttributes=key)[
        "DnssecKeys"
    ]
    assert (shown["KeyTag"], shown["Digest"], shown["DigestType"]) == (RFC_TAG, RFC_DIGEST, 2)
    asked = {"DomainName": domain, "SigningAttributes": key}
    assert refusal(world.api.associate_delegation_signer_to_domain, **asked)[0] == "InvalidInput"
    assert refusal(world.api.disassociate_delegation_signer_from_domain, DomainName=domain, Id="x")[0] == (
        "InvalidInput"
    )
    detail = done(world, world.api.disassociate_delegation_signer_from_domain, Id=shown["Id"])
    assert detail["DnssecKeys"] == []


def test_a_domain_has_four_keys_at_most(world, domain):
    for n in range(4):
        key = {"Algorithm": 13, "Flags": 257, "PublicKey": f"{chr(65 + n) * 86}=="}
        done(world, world.api.associate_delegation_signer_to_domain, SigningAttributes=key)
    asked = {"DomainName": domain, "SigningAttributes": {**key, "PublicKey": RFC_KEY}}
    assert refusal(world.api.associate_delegation_signer_to_domain, **asked)[0] == "DnssecLimitExceeded"


@pytest.mark.parametrize("wrong", [{"Algorithm": 3}, {"Flags": 1}, {"PublicKey": "*"}, {"PublicKey": ""}])
def test_a_key_that_is_none_is_refused(world, domain, wrong):
    key = {"Algorithm": 13, "Flags": 257, "PublicKey": RFC_KEY, **wrong}
    asked = {"DomainName": domain, "SigningAttributes": key}
    assert refusal(world.api.associate_delegation_signer_to_domain, **asked)[0] == "InvalidInput"


def test_the_transfer_lock_opens_and_closes(world, domain):
    assert done(world, world.api.disable_domain_transfer_lock)["StatusList"] == ["ok"]
    assert world.api.list_domains()["Domains"][0]["TransferLock"] is False
    assert done(world, world.api.enable_domain_transfer_lock)["StatusList"] == ["clientTransferProhibited"]


def test_a_registry_without_locks_says_so(world):
    world.register("example.de")
    assert refusal(world.api.enable_domain_transfer_lock, DomainName="example.de") == (
        "TLDRulesViolation",
        "The registry of .de does not support locks against transfers.",
    )
    assert "TransferLock" not in world.api.list_domains()["Domains"][0]


def test_renewal_is_switched_at_once(world, domain):
    world.api.disable_domain_auto_renew(DomainName=domain)
    assert world.detail(domain)["AutoRenew"] is False
    world.api.enable_domain_auto_renew(DomainName=domain)
    assert world.detail(domain)["AutoRenew"] is True
    types = [each["Type"] for each in world.api.list_operations()["Operations"]]
    assert types == ["ENABLE_AUTORENEW", "DISABLE_AUTORENEW", "REGISTER_DOMAIN"]


def test_contacts_and_their_privacy_change_one_by_one(world, domain):
    bob = {**ANN, "FirstName": "Bob", "Email": "bob@example.net"}
    detail = done(world, world.api.update_domain_contact, TechContact=bob)
    assert (detail["TechContact"], detail["AdminContact"]) == (bob, ANN)
    detail = done(world, world.api.update_domain_contact_privacy, TechPrivacy=False)
    assert (detail["TechPrivacy"], detail["AdminPrivacy"]) == (False, True)
    assert refusal(world.api.update_domain_contact, DomainName=domain)[0] == "InvalidInput"
    assert refusal(world.api.update_domain_contact_privacy, DomainName=domain)[0] == "InvalidInput"


def test_another_address_of_the_registrant_is_to_be_confirmed_again(world, domain):
    world.follow_letters()
    bob = {**ANN, "Email": "bob@example.net"}
    done(world, world.api.update_domain_contact, RegistrantContact=bob)
    assert world.api.get_contact_reachability_status(domainName=domain)["status"] == "PENDING"
    assert [letter["to"] for letter in world.mail.letters()] == ["bob@example.net"]


def test_one_operation_of_a_domain_waits_for_the_other(world, domain):
    id = world.api.disable_domain_transfer_lock(DomainName=domain)["OperationId"]
    for call, asked in (
        (world.api.enable_domain_transfer_lock, {}),
        (world.api.delete_domain, {}),
        (world.api.update_domain_nameservers, {"Nameservers": [{"Name": "ns.example.org"}]}),
    ):
        assert refusal(call, DomainName=domain, **asked)[0] == "DuplicateRequest"
    world.settle()
    assert world.status(id) == "SUCCESSFUL"


def test_tags_come_and_go(world, domain):
    tags = [{"Key": "b", "Value": "1"}, {"Key": "a"}]
    world.api.update_tags_for_domain(DomainName=domain, TagsToUpdate=tags)
    world.api.update_tags_for_domain(DomainName=domain, TagsToUpdate=[{"Key": "b", "Value": "2"}])
    assert world.api.list_tags_for_domain(DomainName=domain)["TagList"] == [
        {"Key": "a", "Value": ""},
        {"Key": "b", "Value": "2"},
    ]
    world.api.delete_tags_for_domain(DomainName=domain, TagsToDelete=["b", "none"])
    assert [tag["Key"] for tag in world.api.list_tags_for_domain(DomainName=domain)["TagList"]] == ["a"]
    wrong = {"DomainName": domain, "TagsToUpdate": [{"Key": "aws:x"}]}
    assert refusal(world.api.update_tags_for_domain, **wrong)[0] == "InvalidInput"


def test_no_operation_reaches_what_is_another_s(world, domain):
    asked = {"DomainName": domain}
    for call, more in (
        (world.stranger.delete_domain, {}),
        (world.stranger.retrieve_domain_auth_code, {}),
        (world.stranger.disable_domain_transfer_lock, {}),
        (world.stranger.list_tags_for_domain, {}),
        (world.stranger.update_tags_for_domain, {"TagsToUpdate": [{"Key": "a"}]}),
        (world.stranger.update_domain_contact_privacy, {"TechPrivacy": False}),
        (world.stranger.disable_domain_auto_renew, {}),
        (world.stranger.push_domain, {"Target": "TAG"}),
        (world.stranger.cancel_domain_transfer_to_another_aws_account, {}),
    ):
        assert refusal(call, **asked, **more)[0] == "InvalidInput"
    assert world.detail(domain)["AutoRenew"] is True
