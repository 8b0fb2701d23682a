"""Record sets: batches that are made whole or not at all, and what AWS says of those that are not."""

import pytest
from tests.support.api import refusal
from tests.unit.route53.conftest import alias, record


@pytest.fixture
def refused(change):
    return lambda *given: refusal(lambda: change(*given))


@pytest.fixture
def listed(api, id):
    def of(**asked):
        found = api.list_resource_record_sets(HostedZoneId=id, **asked)["ResourceRecordSets"]
        return [each for each in found if each["Type"] not in ("SOA", "NS")]

    return of


def test_a_zone_begins_with_its_soa_and_ns(api, id, zone):
    servers = api.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    found = api.list_resource_record_sets(HostedZoneId=id)["ResourceRecordSets"]
    soa = f"{servers[0]}. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
    assert found == [
        record("example.com.", "NS", *(f"{server}." for server in servers), ttl=172800),
        record("example.com.", "SOA", soa, ttl=900),
    ]


def test_what_was_created_is_listed_in_the_names_own_spelling(change, listed):
    change(
        "CREATE",
        record("WWW.Example.com", "A", "192.0.2.1", "192.0.2.2"),
        record("*.example.com", "A", "192.0.2.3"),
    )
    assert listed() == [
        record("\\052.example.com.", "A", "192.0.2.3"),
        record("www.example.com.", "A", "192.0.2.1", "192.0.2.2"),
    ]


def test_one_wrong_change_spoils_the_whole_batch(refused, change, listed):
    change("CREATE", record("a.example.com", "A", "192.0.2.1"))
    wrong = refused(
        "CREATE",
        record("a.example.com", "A", "192.0.2.9"),
        record("new.example.com", "A", "192.0.2.1"),
        "DELETE",
        record("none.example.com", "A", "192.0.2.1"),
    )
    assert wrong == (
        "InvalidChangeBatch",
        (
            "[Tried to delete resource record set [name='none.example.com.', type='A'] but it was not found, "
            "Tried to create resource record set [name='a.example.com.', type='A'] but it already exists]"
        ),
    )
    assert listed() == [record("a.example.com.", "A", "192.0.2.1")]


def test_an_upsert_makes_or_replaces(api, change, listed, zone):
    change("UPSERT", record("a.example.com", "A", "192.0.2.1"))
    change("UPSERT", record("a.example.com", "A", "192.0.2.2", ttl=60))
    assert listed() == [record("a.example.com.", "A", "192.0.2.2", ttl=60)]
    assert api.get_hosted_zone(Id=zone)["HostedZone"]["ResourceRecordSetCount"] == 3


def test_a_set_is_deleted_by_all_that_it_is(api, change, refused, listed, zone):
    change("CREATE", record("a.example.com", "A", "192.0.2.1", "192.0.2.2"))
    for other in (
        record("a.example.com", "A", "192.0.2.1"),
        record("a.example.com", "A", "192.0.2.1", "192.0.2.2", ttl=1),
    ):
        assert refused("DELETE", other)[1] == (
            "[Tried to delete resource record set [name='a.example.com.', type='A'] but the values provided do not "
            "match the current values]"
        )
    assert refusal(api.delete_hosted_zone, Id=zone) == (
        "HostedZoneNotEmpty",
        "The specified hosted zone contains non-required resource record sets  and so cannot be deleted.",
    )
    change("DELETE", record("A.example.com.", "A", "192.0.2.2", "192.0.2.1"))
    assert listed() == []
    api.delete_hosted_zone(Id=zone)


def test_a_set_can_be_deleted_and_made_anew_in_one_batch(change, listed):
    change("CREATE", record("a.example.com", "A", "192.0.2.1"))
    change(
        "DELETE",
        record("a.example.com", "A", "192.0.2.1"),
        "CREATE",
        record("a.example.com", "CNAME", "b.example.org"),
    )
    assert listed() == [record("a.example.com.", "CNAME", "b.example.org")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            record("a.test", "A", "192.0.2.1"),
            "RRSet with DNS name a.test. is not permitted in zone example.com.",
        ),
        (
            record("example.com", "CNAME", "b.test"),
            "RRSet of type CNAME with DNS name example.com. is not permitted at apex in zone example.com.",
        ),
        (record("a.example.com", "A", "192.0.2.1", "192.0.2.1"), "Duplicate Resource Record: '192.0.2.1'"),
        (
            record("a..example.com", "A", "192.0.2.1"),
            "FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with 'a..example.com'",
        ),
        (
            record("ü.example.com", "A", "192.0.2.1"),
            (
                "FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered with "
                "'ü.example.com'"
            ),
        ),
    ],
)
def test_a_set_that_cannot_stand_there_is_refused(refused, given, said):
    assert refused("CREATE", given) == ("InvalidChangeBatch", f"[{said}]")


@pytest.mark.parametrize(
    ("type", "value", "said"),
    [
        ("A", "1.2.3", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
        ("A", "1.2.3.4 5.6.7.8", "ARRDATANotSingleField (Value contains spaces)"),
        ("AAAA", "1.2.3.4", "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"),
        ("TXT", "hello", "InvalidCharacterString (Value should be enclosed in quotation marks)"),
        ("TXT", '"a" b', "InvalidCharacterString (Value should be enclosed in quotation marks)"),
        ("TXT", f'"{"x" * 256}"', "CharacterStringTooLong (Value is too long)"),
        ("MX", "mail.example.com", "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"),
        ("SRV", "1 2 a.test", "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"),
        ("CNAME", "a..test", "DomainLabelEmpty (Domain label is empty)"),
        ("MX", "70000 a.test", "MXRRDATAInvalid (Value is not valid for a record of type MX)"),
        ("CAA", "0 issue", "CAARRDATAInvalid (Value is not valid for a record of type CAA)"),
    ],
)
def test_a_value_that_cannot_be_read_is_named(refused, type, value, said):
    assert refused("CREATE", record("a.example.com", type, value)) == (
        "InvalidChangeBatch",
        f"[Invalid Resource Record: 'FATAL problem: {said} encountered with '{value}'']",
    )


@pytest.mark.parametrize(
    ("type", "value"),
    [
        ("AAAA", "2001:db8::1"),
        ("CAA", '0 issue "ca.example.org; account=1"'),
        ("CNAME", "xn--bcher-kva.example"),
        ("DS", "12345 13 2 " + "ab" * 32),
        ("HTTPS", '1 . alpn="h2,h3"'),
        ("MX", "10 mail.example.com"),
        ("NAPTR", '100 50 "u" "E2U+sip" "!^.*$!sip:me@example.com!" .'),
        ("NS", "ns.example.org"),
        ("PTR", "www.example.com"),
        ("SPF", '"v=spf1 -all"'),
        ("SRV", "10 5 80 a.example.com"),
        ("SSHFP", "1 1 " + "ab" * 20),
        ("SVCB", "0 svc.example.net."),
        ("TLSA", "3 0 1 " + "ab" * 32),
        ("TXT", f'"{"x" * 255}" "say \\"hi\\" \\303\\274"'),
    ],
)
def test_every_type_is_kept_as_it_was_written(change, listed, api, id, type, value):
    change("CREATE", record("sub.example.com", type, value))
    found = api.list_resource_record_sets(HostedZoneId=id)["ResourceRecordSets"]
    assert record("sub.example.com.", type, value) in found


def test_a_cname_stands_alone(change, refused):
    change("CREATE", record("a.example.com", "CNAME", "b.test"))
    assert refused("CREATE", record("a.example.com", "A", "192.0.2.1"))[1] == (
        "[RRSet of type A with DNS name a.example.com. is not permitted as it conflicts with other records with the "
        "same DNS name in zone example.com.]"
    )


def test_one_batch_says_one_thing_of_a_set(refused):
    twice = record("a.example.com", "A", "192.0.2.1")
    assert refused("UPSERT", twice, twice)[1] == (
        "[The request contains an invalid set of changes for a resource record set 'A a.example.com.']"
    )


def test_the_zones_own_records_stay(api, id, change, refused):
    ns, soa = api.list_resource_record_sets(HostedZoneId=id)["ResourceRecordSets"]
    assert refused("DELETE", soa)[1] == "[A HostedZone must contain exactly one SOA record.]"
    assert refused("DELETE", ns)[1] == (
        "[A HostedZone must contain at least one NS record for the zone itself.]"
    )
    change("UPSERT", {**ns, "TTL": 60})


def weighted(n, ttl=60, **more):
    return record(
        "w.example.com", "A", f"192.0.2.{n}", ttl=ttl, SetIdentifier=str(n), **{"Weight": 1, **more}
    )


def test_sets_of_one_name_are_of_one_policy(change, refused):
    change("CREATE", weighted(1), weighted(2))
    latency = weighted(3, Region="eu-west-1")
    del latency["Weight"]
    assert refused("CREATE", latency)[1] == (
        "[RRSet with DNS name w.example.com., type A, SetIdentifier 3 cannot be created as a non-latency set exists "
        "with the same name and type.]"
    )
    assert refused("CREATE", record("w.example.com", "A", "192.0.2.9"))[1] == (
        "[RRSet with DNS name w.example.com., type A cannot be created as other RRSets exist with the same name and "
        "type.]"
    )
    assert refused("CREATE", weighted(3, ttl=5))[1] == (
        "[RRSet with DNS name w.example.com. and type A, SetIdentifier 3 cannot be created as weighted sets must "
        "contain the same TTL.]"
    )


def test_no_two_sets_answer_the_same_region(change, refused):
    def latency(n):
        return record("l.example.com", "A", f"192.0.2.{n}", SetIdentifier=str(n), Region="eu-west-1")

    change("CREATE", latency(1))
    assert refused("CREATE", latency(2))[1] == (
        "[RRSet with DNS name l.example.com., type A, SetIdentifier 2, and Region Name=eu-west-1 cannot be created "
        "because a latency RRSet with the same name, type and region already exists.]"
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"Weight": 1}, "Missing field 'SetIdentifier'"),
        ({"MultiValueAnswer": False}, "Missing field 'SetIdentifier'"),
        ({"SetIdentifier": "x"}, "but found none"),
        ({"SetIdentifier": "x", "Weight": 1, "Region": "eu-west-1"}, "but found more than one"),
    ],
)
def test_a_set_identifier_goes_with_one_policy(refused, more, said):
    code, message = refused("CREATE", record("a.example.com", "A", "192.0.2.1", **more))
    assert code == "InvalidInput"
    assert said in message
    identifier = more.get("SetIdentifier", "null")
    assert message.endswith(
        f"in Change with [Action=CREATE, Name=a.example.com, Type=A, SetIdentifier={identifier}]"
    )


def test_a_set_has_values_with_a_ttl_or_an_alias(refused, id):
    said = (
        "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
        "TrafficPolicyInstanceId], but found {} in Change with [Action=CREATE, Name=a.example.com, Type=A, "
        "SetIdentifier=null]"
    )
    for given in (record("a.example.com"), {**record("a.example.com"), "TTL": 1}):
        assert refused("CREATE", given) == ("InvalidInput", said.format("none"))
    both = {**alias("a.example.com", "b.example.com", id), **record("a.example.com", "A", "192.0.2.1")}
    assert refused("CREATE", both) == ("InvalidInput", said.format("more than one"))


def test_an_alias_leads_to_a_set_of_its_type(change, refused, listed, id):
    says = f"Tried to create an alias that targets b.example.com., type A in zone {id}"
    assert refused("CREATE", alias("a.example.com", "b.example.com", id))[1] == (
        f"[{says}, but that target was not found]"
    )
    change("CREATE", alias("a.example.com", "b.example.com", id), record("b.example.com", "A", "192.0.2.1"))
    assert listed()[0] == alias("a.example.com.", "b.example.com.", id)
    assert refused("CREATE", alias("c.example.com", "b.example.org", "Z1"))[1] == (
        "[Tried to create an alias that targets b.example.org., type A in zone Z1, but the alias target name does not "
        "lie within the target zone, Tried to create an alias that targets b.example.org., type A in zone Z1, but "
        "that target was not found]"
    )


def test_aliases_do_not_go_round_in_circles(refused, change, id):
    round = [alias(f"{a}.example.com", f"{b}.example.com", id) for a, b in ("ab", "bc", "ca")]
    code, message = refused("CREATE", *round)
    assert code == "InvalidChangeBatch"
    assert message.count("but it would lead back to itself") == 3


def test_a_batch_has_its_limits(refused, api, id):
    many = [record(f"{n}.example.com", "A", "192.0.2.1") for n in range(501)]
    assert refused("UPSERT", *many)[1] == "[Number of records limit of 1000 exceeded.]"
    long = [record(f"{n}.example.com", "TXT", *([f'"{n}{"x" * 200}"'] * 1)) for n in range(170)]
    assert refused("CREATE", *long)[1] == "[Number of characters limit of 32000 exceeded.]"
    assert refused()[0] == "InvalidInput"


def test_sets_are_listed_page_by_page_by_their_reversed_names(api, id, change):
    for name in ("b", "a", "z.a", "a-b"):
        change("CREATE", record(f"{name}.example.com", "A", "192.0.2.1"))
    change("CREATE", record("a.example.com", "TXT", '"x"'), weighted(1), weighted(2))
    pages = api.every("list_resource_record_sets", HostedZoneId=id, PaginationConfig={"PageSize": 2})
    found = [
        (each["Name"].removesuffix("example.com."), each["Type"], each.get("SetIdentifier"))
        for page in pages
        for each in page["ResourceRecordSets"]
    ]
    assert found == [
        ("", "NS", None),
        ("", "SOA", None),
        ("a.", "A", None),
        ("a.", "TXT", None),
        ("z.a.", "A", None),
        ("a-b.", "A", None),
        ("b.", "A", None),
        ("w.", "A", "1"),
        ("w.", "A", "2"),
    ]
    assert len(pages) == 5
    assert pages[3]["NextRecordIdentifier"] == "2"
    assert refusal(api.list_resource_record_sets, HostedZoneId=id, StartRecordType="A")[0] == "InvalidInput"
