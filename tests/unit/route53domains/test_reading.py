"""What is told of domains, operations, prices and bills, page by page."""

import pytest
from tests.support.api import refusal


def names(answer):
    return [each["DomainName"] for each in answer["Domains"]]


@pytest.fixture
def five(world):
    for n, name in enumerate(["c.com", "ab.com", "b.org", "aa.net", "d.io"]):
        world.register(name, DurationInYears=n + 1)
    return world


def test_domains_are_listed_by_name_page_by_page(five):
    assert names(five.api.list_domains()) == ["aa.net", "ab.com", "b.org", "c.com", "d.io"]
    pages = five.api.every("list_domains", PaginationConfig={"PageSize": 2})
    assert [len(page["Domains"]) for page in pages] == [2, 2, 1]
    assert [name for page in pages for name in names(page)] == names(five.api.list_domains())
    assert refusal(five.api.list_domains, Marker="?") == ("InvalidInput", "The marker is not valid")


def test_domains_are_sorted_and_filtered_by_one_attribute(five):
    by_expiry = {"Name": "Expiry", "SortOrder": "DESC"}
    assert names(five.api.list_domains(SortCondition=by_expiry)) == [
        "d.io",
        "aa.net",
        "b.org",
        "ab.com",
        "c.com",
    ]
    begins = {"Name": "DomainName", "Operator": "BEGINS_WITH", "Values": ["A"]}
    down = {"Name": "DomainName", "SortOrder": "DESC"}
    assert names(five.api.list_domains(FilterConditions=[begins], SortCondition=down)) == ["ab.com", "aa.net"]
    soon = {"Name": "Expiry", "Operator": "LE", "Values": ["2028-01-01T00:00:00Z"]}
    assert names(five.api.list_domains(FilterConditions=[soon])) == ["ab.com", "c.com"]
    later = {"Name": "Expiry", "Operator": "GE", "Values": ["1900000000"]}
    assert names(five.api.list_domains(FilterConditions=[later])) == ["d.io"]
    mixed = {"FilterConditions": [soon], "SortCondition": down}
    assert refusal(five.api.list_domains, **mixed)[0] == "InvalidInput"
    wrong = {"Name": "Expiry", "Operator": "LE", "Values": ["soon"]}
    assert refusal(five.api.list_domains, FilterConditions=[wrong])[0] == "InvalidInput"


def test_operations_are_listed_by_what_and_when_they_were(five):
    five.days(1)
    since = five.clock.now()
    five.api.disable_domain_transfer_lock(DomainName="c.com")
    listed = five.api.list_operations()["Operations"]
    assert [each["Type"] for each in listed] == ["DOMAIN_LOCK", *["REGISTER_DOMAIN"] * 5]
    assert [each["DomainName"] for each in five.api.list_operations(SubmittedSince=since)["Operations"]] == [
        "c.com"
    ]
    assert len(five.api.list_operations(Status=["SUCCESSFUL"])["Operations"]) == 5
    assert len(five.api.list_operations(Type=["DOMAIN_LOCK"])["Operations"]) == 1
    pages = five.api.every("list_operations", SortOrder="ASC", PaginationConfig={"PageSize": 4})
    assert [each["DomainName"] for page in pages for each in page["Operations"]][:2] == ["c.com", "ab.com"]
    assert five.stranger.list_operations()["Operations"] == []


def test_bills_are_listed_by_their_day(five):
    five.days(10)
    start = five.clock.now()
    year = five.detail("c.com")["ExpirationDate"].year
    five.api.renew_domain(DomainName="c.com", CurrentExpiryYear=year)
    five.settle()
    assert len(five.api.view_billing()["BillingRecords"]) == 6
    (bill,) = five.api.view_billing(Start=start)["BillingRecords"]
    assert (bill["Operation"], bill["Price"], bill["BillDate"]) == ("RENEW_DOMAIN", 15.0, start)
    assert five.api.view_billing(End=start.replace(year=2020))["BillingRecords"] == []


def test_prices_are_those_that_are_billed(world):
    (com,) = world.api.list_prices(Tld=".com")["Prices"]
    assert com["RegistrationPrice"] == {"Price": 15.0, "Currency": "USD"}
    checked = world.api.check_domain_availability(DomainName="a.com")
    assert checked == {
        "Availability": "AVAILABLE",
        "Price": {"Price": 15.0, "Currency": "USD", "PriceType": "STANDARD"},
    }
    assert world.api.get_domain_prices(DomainName="A.com")["DomainPrice"] == {**com, "Name": "a.com"}
    world.register("a.com")
    assert world.api.view_billing()["BillingRecords"][0]["Price"] == 15.0
    pages = world.api.every("list_prices", PaginationConfig={"PageSize": 20})
    assert len(pages) > 1
    assert com in [price for page in pages for price in page["Prices"]]
    assert refusal(world.api.list_prices, Tld="nosuch")[0] == "UnsupportedTLD"
    assert refusal(world.api.list_prices, Tld="com", MaxItems=5)[0] == "InvalidInput"


def test_suggestions_are_free_and_always_the_same(world):
    asked = {"DomainName": "shop.com", "SuggestionCount": 10, "OnlyAvailable": True}
    first = world.api.get_domain_suggestions(**asked)["SuggestionsList"]
    assert first == world.api.get_domain_suggestions(**asked)["SuggestionsList"]
    assert len({each["DomainName"] for each in first}) == 10
    taken = first[0]["DomainName"]
    world.register(taken)
    after = world.api.get_domain_suggestions(**asked)["SuggestionsList"]
    assert taken not in [each["DomainName"] for each in after]
    for each in after:
        checked = world.api.check_domain_availability(DomainName=each["DomainName"])
        assert checked["Availability"] == each["Availability"] == "AVAILABLE"
    unchecked = world.api.get_domain_suggestions(**{**asked, "OnlyAvailable": False})["SuggestionsList"]
    assert unchecked[0] == {"DomainName": taken}
    assert refusal(world.api.get_domain_suggestions, **{**asked, "SuggestionCount": 51})[0] == "InvalidInput"
    assert refusal(world.api.get_domain_suggestions, **{**asked, "DomainName": "shop"}) == (
        "InvalidInput",
        "Give domain name must contain more than 1 label",
    )


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.com", "AVAILABLE"),
        ("a.b.com", "INVALID_NAME_FOR_TLD"),
        ("ab--c.com", "INVALID_NAME_FOR_TLD"),
        ("xn--bcher-kva.com", "AVAILABLE"),
        ("nic.org", "RESERVED"),
    ],
)
def test_a_name_is_told_for_what_it_is(world, name, found):
    assert world.api.check_domain_availability(DomainName=name)["Availability"] == found
