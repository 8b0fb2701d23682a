"""Domains from the day they are registered to the day they go."""

import pytest
from tests.support.api import ACCOUNT, refusal
from tests.unit.route53domains.conftest import ANN, CONTACTS, HOSTED, STRANGER

from cloudstead.core.errors import Conflict
from cloudstead.services.route53domains.applying import Applying
from cloudstead.services.route53domains.directory import Directory
from cloudstead.services.route53domains.letters import Letters
from cloudstead.services.route53domains.rows import Domain, DomainOperation
from cloudstead.services.route53domains.work import Renew


def test_a_registered_domain_has_a_hosted_zone_and_leads_to_its_name_servers(world):
    id = world.register("Example-Store.com.")
    assert world.status(id) == "SUCCESSFUL"
    assert world.zones == [(ACCOUNT, "example-store.com")]
    detail = world.detail("example-store.com")
    assert [each["Name"] for each in detail["Nameservers"]] == HOSTED
    assert detail["StatusList"] == ["clientTransferProhibited"]
    assert detail["RegistrantContact"] == detail["BillingContact"] == ANN
    assert detail["RegistrantPrivacy"] is detail["BillingPrivacy"] is True
    assert detail["ExpirationDate"].year - detail["CreationDate"].year == 1
    assert detail["RegistrarName"] == "Amazon Registrar, Inc."


def test_an_operation_goes_from_submitted_over_in_progress_to_successful(world):
    id = world.api.register_domain(DomainName="a.com", DurationInYears=1, **CONTACTS)["OperationId"]
    assert world.status(id) == "SUBMITTED"
    assert refusal(world.api.get_domain_detail, DomainName="a.com") == (
        "InvalidInput",
        f"Domain a.com not found in {ACCOUNT} account",
    )
    world.settle()
    shown = world.api.get_operation_detail(OperationId=id)
    assert (shown["Status"], shown["Type"], shown["DomainName"]) == (
        "SUCCESSFUL",
        "REGISTER_DOMAIN",
        "a.com",
    )
    assert shown["LastUpdatedDate"] >= shown["SubmittedDate"]
    assert refusal(world.stranger.get_operation_detail, OperationId=id)[0] == "InvalidInput"


def test_a_name_belongs_to_one_account_alone(world):
    world.register("a.com")
    assert world.stranger.check_domain_availability(DomainName="a.com") == {"Availability": "UNAVAILABLE"}
    asked = {"DomainName": "a.com", "DurationInYears": 1, **CONTACTS}
    assert refusal(world.stranger.register_domain, **asked)[0] == "InvalidInput"
    assert refusal(world.stranger.get_domain_detail, DomainName="a.com") == (
        "InvalidInput",
        f"Domain a.com not found in {STRANGER.account} account",
    )
    assert world.stranger.list_domains()["Domains"] == []


def test_two_who_ask_at_once_do_not_both_get_a_name(world):
    asked = {"DomainName": "a.com", "DurationInYears": 1, **CONTACTS}
    first = world.api.register_domain(**asked)["OperationId"]
    assert refusal(world.stranger.register_domain, **asked)[0] == "DuplicateRequest"
    assert refusal(world.api.register_domain, **asked)[0] == "DuplicateRequest"
    world.settle()
    assert world.status(first) == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("localhost", "InvalidInput", "Give domain name must contain more than 1 label"),
        ("-a.com", "InvalidInput", "-a.com is not a valid domain name"),
        ("a_b.com", "InvalidInput", "a_b.com is not a valid domain name"),
        ("a.b.com", "InvalidInput", "a.b.com is not a valid name for .com"),
        ("a.nosuchtld", "UnsupportedTLD", "Unsupported top level domain: nosuchtld"),
        ("nic.com", "TLDRulesViolation", "nic.com is reserved by the registry."),
        ("awsdns-07.org", "TLDRulesViolation", "awsdns-07.org is reserved by the registry."),
        ("co.uk", "TLDRulesViolation", "co.uk is reserved by the registry."),
    ],
)
def test_what_no_registry_would_take_is_refused(world, name, code, message):
    asked = {"DomainName": name, "DurationInYears": 1, **CONTACTS}
    assert refusal(world.api.register_domain, **asked) == (code, message)
    assert world.api.list_operations()["Operations"] == []


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"PhoneNumber": "206 555 0100"}, "PhoneNumber must look like +1.1234567890"),
        ({"Email": "nobody"}, "Email is not a valid address"),
        ({"FirstName": ""}, "FirstName is required"),
        ({"State": ""}, "State is required in US"),
        ({"ContactType": "COMPANY"}, "OrganizationName is required unless ContactType is PERSON"),
    ],
)
def test_a_contact_that_nobody_could_be_is_refused(world, changes, wrong):
    asked = {"DomainName": "a.com", "DurationInYears": 1, **CONTACTS, "AdminContact": {**ANN, **changes}}
    assert refusal(world.api.register_domain, **asked) == (
        "InvalidInput",
        f"Errors: [AdminContact: {wrong}]",
    )


def test_nothing_is_paid_above_the_price_that_was_agreed_to(world):
    asked = {"DomainName": "a.com", "DurationInYears": 2, **CONTACTS}
    consent = {"MaxPrice": 29.0, "Currency": "USD"}
    assert refusal(world.api.register_domain, **asked, Consent=consent)[0] == "InvalidInput"
    world.api.register_domain(**asked, Consent={**consent, "MaxPrice": 30.0})
    world.settle()
    (bill,) = world.api.view_billing()["BillingRecords"]
    assert (bill["DomainName"], bill["Operation"], bill["Price"]) == ("a.com", "REGISTER_DOMAIN", 30.0)


def test_an_account_has_twenty_domains_at_most(world):
    for n in range(19):
        world.register(f"a{n}.com")
    world.api.register_domain(DomainName="last.com", DurationInYears=1, **CONTACTS)
    asked = {"DomainName": "more.com", "DurationInYears": 1, **CONTACTS}
    assert refusal(world.api.register_domain, **asked)[0] == "DomainLimitExceeded"
    assert world.stranger.register_domain(**asked)["OperationId"]


def test_a_renewal_adds_years_to_the_year_that_the_caller_knows(world):
    world.register("a.com")
    year = world.detail("a.com")["ExpirationDate"].year
    wrong = {"DomainName": "a.com", "CurrentExpiryYear": year + 1}
    assert refusal(world.api.renew_domain, **wrong)[0] == "InvalidInput"
    asked = {"DomainName": "a.com", "CurrentExpiryYear": year}
    assert refusal(world.api.renew_domain, **asked, DurationInYears=10)[0] == "InvalidInput"
    id = world.api.renew_domain(**asked, DurationInYears=3)["OperationId"]
    world.settle()
    assert world.status(id) == "SUCCESSFUL"
    assert world.detail("a.com")["ExpirationDate"].year == year + 3


def test_a_domain_renews_itself_before_it_runs_out(world):
    world.register("a.com")
    world.follow_letters()
    expires_at = world.detail("a.com")["ExpirationDate"]
    world.days(365 - 36)
    assert world.detail("a.com")["ExpirationDate"] == expires_at
    world.days(1)
    assert world.detail("a.com")["ExpirationDate"].year == expires_at.year + 1
    renewals = world.api.list_operations(Type=["RENEW_DOMAIN"])["Operations"]
    assert [each["Status"] for each in renewals] == ["SUCCESSFUL"]
    assert world.api.view_billing()["BillingRecords"][-1]["Operation"] == "RENEW_DOMAIN"


def test_a_domain_that_renews_itself_is_not_lost_while_the_cloud_is_down_for_years(world):
    world.register("a.com")
    world.follow_letters()
    world.days(3 * 365)
    assert world.detail("a.com")["ExpirationDate"] > world.clock.now()
    assert world.detail("a.com")["StatusList"] == ["clientTransferProhibited"]


def test_a_domain_that_nobody_renews_is_suspended_then_deleted_then_anybody_s(world):
    world.register("a.com", AutoRenew=False)
    world.follow_letters()
    world.days(365)
    assert "clientHold" in world.detail("a.com")["StatusList"]
    year = world.detail("a.com")["ExpirationDate"].year
    world.days(44)
    assert world.api.list_domains()["Domains"] == []
    asked = {"DomainName": "a.com", "CurrentExpiryYear": year}
    assert refusal(world.api.renew_domain, **asked)[0] == "InvalidInput"
    assert world.stranger.check_domain_availability(DomainName="a.com")["Availability"] == "UNAVAILABLE"
    world.days(35)
    assert world.store.rows(Domain) == []
    assert world.api.list_operations(Type=["EXPIRE_DOMAIN"])["Operations"][0]["DomainName"] == "a.com"
    assert world.status(world.register("a.com", by=world.stranger), by=world.stranger) == "SUCCESSFUL"


def test_an_expired_domain_can_be_renewed(world):
    world.register("a.com", AutoRenew=False)
    world.follow_letters()
    year = world.detail("a.com")["ExpirationDate"].year
    world.days(370)
    world.api.renew_domain(DomainName="a.com", CurrentExpiryYear=year)
    world.settle()
    assert world.detail("a.com")["StatusList"] == ["clientTransferProhibited"]


def test_a_deleted_domain_can_be_restored_for_thirty_days(world):
    world.register("a.com")
    id = world.api.delete_domain(DomainName="a.com")["OperationId"]
    world.settle()
    assert world.status(id) == "SUCCESSFUL"
    assert world.api.list_domains()["Domains"] == []
    dear = {"MaxPrice": 1.0, "Currency": "USD"}
    assert refusal(world.api.restore_domain, DomainName="a.com", Consent=dear)[0] == "InvalidInput"
    assert refusal(world.stranger.restore_domain, DomainName="a.com")[0] == "InvalidInput"
    world.api.restore_domain(DomainName="a.com")
    world.settle()
    assert world.detail("a.com")["DomainName"] == "a.com"
    world.api.delete_domain(DomainName="a.com")
    world.settle()
    world.days(30)
    assert refusal(world.api.restore_domain, DomainName="a.com")[0] == "InvalidInput"


def test_a_registry_without_redemption_frees_a_deleted_name_at_once(world):
    world.register("a.co.uk")
    world.api.delete_domain(DomainName="a.co.uk")
    world.settle()
    assert refusal(world.api.restore_domain, DomainName="a.co.uk")[0] == "InvalidInput"
    assert world.api.check_domain_availability(DomainName="a.co.uk")["Availability"] == "AVAILABLE"


def test_a_registrant_who_does_not_confirm_the_address_loses_the_domain_until_it_is_done(world):
    world.register("a.com")
    asked = {"domainName": "a.com"}
    assert world.api.get_contact_reachability_status(**asked)["status"] == "PENDING"
    sent = world.api.resend_contact_reachability_email(**asked)
    assert sent == {"domainName": "a.com", "emailAddress": ANN["Email"], "isAlreadyVerified": False}
    assert len(world.mail.letters()) == 2
    world.days(15)
    assert world.api.get_contact_reachability_status(**asked)["status"] == "EXPIRED"
    assert "clientHold" in world.detail("a.com")["StatusList"]
    assert world.mail.follow("0" * 32) is None
    world.follow_letters()
    assert world.api.get_contact_reachability_status(**asked)["status"] == "DONE"
    assert "clientHold" not in world.detail("a.com")["StatusList"]
    assert world.api.resend_contact_reachability_email(**asked)["isAlreadyVerified"] is True
    world.register("b.com")
    assert world.api.get_contact_reachability_status(domainName="b.com")["status"] == "DONE"
    assert world.mail.letters() == []


def test_an_operation_is_done_once_though_two_begin_it(world):
    world.api.register_domain(DomainName="a.com", DurationInYears=1, **CONTACTS)
    (row,) = world.store.rows(DomainOperation)
    directory = Directory(world.store, world.tools)
    applying = Applying(directory, Letters(directory), lambda _account, _name: ())
    with world.store.transaction():
        assert applying.apply(row) == ""
    renewal = Renew(1, world.detail("a.com")["ExpirationDate"])
    row = directory.submit(ACCOUNT, "a.com", "RENEW_DOMAIN", renewal)
    with world.store.transaction():
        applying.apply(row)
    with pytest.raises(Conflict), world.store.transaction():
        applying.apply(row)
    assert world.detail("a.com")["ExpirationDate"].year == renewal.expires_at.year + 1
    assert len(world.api.view_billing()["BillingRecords"]) == 2


def test_a_domain_without_a_hosted_zone_is_registered_and_not_delegated(world):
    world.hosted = []
    world.register("a.com")
    assert world.detail("a.com")["Nameservers"] == []
    assert world.detail("a.com")["StatusList"] == ["clientTransferProhibited", "inactive"]
