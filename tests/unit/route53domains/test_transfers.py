"""Domains that change hands."""

import pytest
from tests.support.api import refusal
from tests.unit.route53domains.conftest import ANN, CONTACTS, HOSTED, STRANGER

from cloudstead.services.route53domains.operations import transfer_away

NAME = {"DomainName": "a.com"}


@pytest.fixture
def offered(world):
    """A domain that is offered to the stranger: the operation and the password."""
    world.register("a.com")
    world.api.update_tags_for_domain(**NAME, TagsToUpdate=[{"Key": "a"}])
    made = world.api.transfer_domain_to_another_aws_account(**NAME, AccountId=STRANGER.account)
    world.settle()
    return made["OperationId"], made["Password"]


def test_a_domain_goes_to_another_account_that_knows_the_password(world, offered):
    out, password = offered
    waiting = world.api.get_operation_detail(OperationId=out)
    assert (waiting["Status"], waiting["StatusFlag"]) == ("IN_PROGRESS", "PENDING_ACCEPTANCE")
    accept = world.stranger.accept_domain_transfer_from_another_aws_account
    assert refusal(accept, **NAME, Password="wrong") == ("InvalidInput", "The password is not valid")
    assert refusal(world.api.accept_domain_transfer_from_another_aws_account, **NAME, Password=password)[
        0
    ] == ("InvalidInput")
    taken = accept(**NAME, Password=password)["OperationId"]
    world.settle()
    assert world.status(out) == world.status(taken, by=world.stranger) == "SUCCESSFUL"
    assert world.api.list_domains()["Domains"] == []
    detail = world.detail("a.com", by=world.stranger)
    assert [each["Name"] for each in detail["Nameservers"]] == HOSTED
    assert world.stranger.list_tags_for_domain(**NAME)["TagList"] == []
    assert refusal(accept, **NAME, Password=password)[0] == "InvalidInput"


@pytest.mark.parametrize("how", ["cancelled", "rejected"])
def test_an_offer_that_is_taken_back_or_not_wanted_changes_nothing(world, offered, how):
    out, password = offered
    if how == "cancelled":
        ended = world.api.cancel_domain_transfer_to_another_aws_account(**NAME)
    else:
        ended = world.stranger.reject_domain_transfer_from_another_aws_account(**NAME)
    assert ended["OperationId"] == out
    shown = world.api.get_operation_detail(OperationId=out)
    assert (shown["Status"], shown["Message"]) == (
        "FAILED",
        f"Domain Transfer from Aws Account 123456789012 has been {how}.",
    )
    accept = world.stranger.accept_domain_transfer_from_another_aws_account
    assert refusal(accept, **NAME, Password=password)[0] == "InvalidInput"
    assert world.detail("a.com")["DomainName"] == "a.com"


def test_an_offer_ends_after_three_days(world, offered):
    world.days(2.9)
    assert world.status(offered[0]) == "IN_PROGRESS"
    world.days(0.1)
    assert world.status(offered[0]) == "FAILED"


def test_an_account_that_has_enough_domains_cannot_take_another(world, offered):
    for n in range(20):
        world.register(f"b{n}.com", by=world.stranger)
    accept = world.stranger.accept_domain_transfer_from_another_aws_account
    assert refusal(accept, **NAME, Password=offered[1])[0] == "DomainLimitExceeded"


def test_another_registrar_gets_a_domain_by_its_code_once_it_is_unlocked(world):
    world.register("a.com")
    code = world.api.retrieve_domain_auth_code(**NAME)["AuthCode"]

    def away(code):
        return transfer_away(world.store, world.tools, "a.com", code, "Other Ltd")

    assert away(code) == "the domain is locked"
    world.api.disable_domain_transfer_lock(**NAME)
    world.settle()
    world.api.update_domain_contact_privacy(**NAME, TechPrivacy=False)
    assert away(code) == "another operation is in progress"
    world.settle()
    assert away("wrong") == "the authorization code is not valid"
    assert away(code) == ""
    assert world.api.list_domains()["Domains"] == []
    assert world.api.list_operations(Type=["TRANSFER_OUT_DOMAIN"])["Operations"][0]["Status"] == "SUCCESSFUL"
    assert "Registrar: Other Ltd" in world.registry.whois("a.com")


@pytest.fixture
def elsewhere(world):
    """The code of a.com, which is with another registrar."""
    world.register("a.com")
    world.api.disable_domain_transfer_lock(**NAME)
    world.settle()
    code = world.api.retrieve_domain_auth_code(**NAME)["AuthCode"]
    assert transfer_away(world.store, world.tools, "a.com", code, "Other Ltd") == ""
    for letter in world.mail.letters():
        world.mail.follow(letter["id"])
    return code


def transferability(api, **asked):
    return api.check_domain_transferability(**NAME, **asked)["Transferability"]["Transferable"]


def test_a_domain_comes_from_another_registrar_once_the_registrant_says_yes(world, elsewhere):
    assert transferability(world.stranger, AuthCode=elsewhere) == "TRANSFERABLE"
    assert transferability(world.stranger, AuthCode="wrong") == "UNTRANSFERABLE"
    bob = {**ANN, "Email": "bob@example.net"}
    asked = {**NAME, **CONTACTS, "RegistrantContact": bob, "AuthCode": elsewhere}
    id = world.stranger.transfer_domain(**asked)["OperationId"]
    world.settle()
    shown = world.stranger.get_operation_detail(OperationId=id)
    assert (shown["Status"], shown["StatusFlag"]) == ("IN_PROGRESS", "PENDING_AUTHORIZATION")
    (first,) = world.mail.letters()
    world.stranger.resend_operation_authorization(OperationId=id)
    assert refusal(world.api.resend_operation_authorization, OperationId=id)[0] == "InvalidInput"
    assert len(world.mail.letters()) == 2
    assert first["to"] == "bob@example.net"
    assert world.mail.follow(first["id"]) == "the transfer of a.com is authorized"
    world.settle()
    assert world.status(id, by=world.stranger) == "SUCCESSFUL"
    detail = world.detail("a.com", by=world.stranger)
    assert [each["Name"] for each in detail["Nameservers"]] == HOSTED
    assert detail["ExpirationDate"].year == detail["CreationDate"].year + 2
    assert world.stranger.retrieve_domain_auth_code(**NAME)["AuthCode"] != elsewhere
    assert len(world.zones) == 1


def test_a_transfer_with_a_wrong_code_fails_and_says_so(world, elsewhere):
    asked = {**NAME, **CONTACTS, "AuthCode": f"{elsewhere}x"}
    id = world.api.transfer_domain(**asked)["OperationId"]
    world.follow_letters()
    shown = world.api.get_operation_detail(OperationId=id)
    assert (shown["Status"], shown["Message"]) == (
        "FAILED",
        "The authorization code that you got from the current registrar is not valid",
    )
    assert world.api.list_domains()["Domains"] == []


def test_a_transfer_that_nobody_authorizes_ends_after_five_days(world, elsewhere):
    id = world.api.transfer_domain(**NAME, **CONTACTS, AuthCode=elsewhere)["OperationId"]
    world.days(5)
    assert world.status(id) == "FAILED"
    assert [world.mail.follow(letter["id"]) for letter in world.mail.letters()] == [
        "nothing waits for this any more"
    ]


def test_only_what_is_with_another_registrar_can_be_transferred_in(world):
    assert transferability(world.api) == "UNTRANSFERABLE"
    asked = {**NAME, **CONTACTS, "AuthCode": "x"}
    assert refusal(world.api.transfer_domain, **asked)[0] == "InvalidInput"
    world.register("a.com")
    assert transferability(world.api) == "DOMAIN_IN_OWN_ACCOUNT"
    assert transferability(world.stranger) == "DOMAIN_IN_ANOTHER_ACCOUNT"
    assert refusal(world.api.transfer_domain, **asked)[0] == "InvalidInput"
    assert refusal(world.stranger.transfer_domain, **asked)[0] == "InvalidInput"
    assert refusal(world.stranger.transfer_domain, **NAME, **CONTACTS)[0] == "InvalidInput"


def test_a_uk_domain_is_pushed_to_a_tag_and_comes_back_without_a_code(world):
    world.register("a.co.uk")
    name = {"DomainName": "a.co.uk"}
    assert refusal(world.api.retrieve_domain_auth_code, **name)[0] == "UnsupportedTLD"
    world.api.push_domain(**name, Target="OTHER")
    world.settle()
    assert world.api.list_domains()["Domains"] == []
    world.stranger.transfer_domain(**name, **CONTACTS)
    world.follow_letters()
    assert world.detail("a.co.uk", by=world.stranger)["DomainName"] == "a.co.uk"
    world.register("b.com")
    assert refusal(world.api.push_domain, DomainName="b.com", Target="OTHER")[0] == "UnsupportedTLD"
