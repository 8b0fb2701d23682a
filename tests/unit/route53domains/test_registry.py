"""The registry as the world sees it: delegations for the name servers, WHOIS, RDAP."""

import asyncio
import json
import socket

import pytest
from tests.unit.route53domains.conftest import ANN, HOSTED
from tests.unit.route53domains.test_changing import RFC_DIGEST, RFC_KEY, RFC_TAG

from cloudstead.dataplane import whois
from cloudstead.dataplane.dns.zones import DropZone, PutRecords, PutZone
from cloudstead.dataplane.http import HttpRequest
from cloudstead.services.route53domains.operations import (
    ROOT_VIEW,
    TLD_VIEW,
    Delegations,
    Rdap,
    RegistryNames,
    Servers,
    delegated_to,
    transfer_away,
)

SERVERS = Servers(root=["127.0.53.1"], tld=["127.0.53.2", "::2"], hosted=["127.0.0.1", "::1"])


class Told:
    """What a name server knows that is told batches: a table, by zone."""

    def __init__(self, source):
        self.source, self.number, self.zones, self.records = source, 0, {}, {}

    def pull(self):
        """Apply what is new, and return how many records that touched."""
        batch = self.source.since(self.number)
        if batch is None:
            return 0
        for change in batch.changes:
            match change:
                case PutZone(zone):
                    self.zones[zone.id] = zone
                case DropZone(id):
                    self.zones.pop(id, None)
                    self.records = {key: sets for key, sets in self.records.items() if key[0] != id}
                case PutRecords(zone, name, type, sets):
                    assert zone in self.zones
                    self.records[zone, name, type] = sets
        self.number = batch.number
        return sum(isinstance(change, PutRecords) for change in batch.changes)

    def of(self, zone, name, type):
        sets = self.records.get((zone, name, type), ())
        return sets[0].values if sets else ()


@pytest.fixture
def told(world):
    return Told(Delegations(world.store, SERVERS))


def test_the_root_leads_to_the_tlds_and_all_zones_can_be_reached(told):
    told.pull()
    root = told.zones["registry-root"]
    assert (root.name, root.networks) == (".", (ROOT_VIEW,))
    assert told.of("registry-root", "com", "NS") == ("tld.registry.internal.",)
    assert told.of("registry-root", "tld.registry.internal", "A") == ("127.0.53.2",)
    assert told.of("registry-root", "tld.registry.internal", "AAAA") == ("::2",)
    assert told.of("registry-uk", "co.uk", "NS") == ("tld.registry.internal.",)
    for id, zone in told.zones.items():
        assert told.of(id, zone.name, "SOA"), id
        assert told.of(id, zone.name, "NS"), id
        if zone.networks == (TLD_VIEW,) and "." not in zone.name:
            assert told.of("registry-root", zone.name, "NS"), id


def test_the_addresses_of_all_name_servers_follow_by_a_rule():
    names = RegistryNames(SERVERS)
    assert names.lookup(None, "root.registry.internal", "A").records == ("127.0.53.1",)
    assert names.lookup(None, "tld.registry.internal", "AAAA").records == ("::2",)
    assert names.lookup(None, "none.registry.internal", "A").records is None
    assert names.lookup(None, "ns-1941.awsdns-50.co.uk", "A").records == ("127.0.0.1",)
    assert names.lookup(None, "ns-1941.awsdns-50.co.uk", "TXT").records == ()
    assert names.lookup(None, "example.com", "A") is None


def test_a_domain_is_delegated_to_its_hosted_zone_with_the_addresses_of_its_servers(world, told):
    told.pull()
    world.register("example.org")
    assert told.pull() < 20, "what did not change is not told again"
    assert told.of("registry-org", "example.org", "NS") == tuple(f"{name}." for name in HOSTED)
    assert delegated_to(world.store, "example.org") == tuple(HOSTED)
    for server, zone in zip(HOSTED, ("com", "net", "org", "co.uk"), strict=True):
        assert told.of(f"registry-{zone}", server, "A") == ("127.0.0.1",)
        assert told.of(f"registry-{zone}", server, "AAAA") == ("::1",)
    assert told.pull() == 0


def test_name_servers_inside_a_domain_come_with_glue_and_keys_with_their_ds(world, told):
    world.register("example.net")
    servers = [{"Name": "ns.example.net", "GlueIps": ["192.0.2.1", "2001:db8::1"]}]
    world.api.update_domain_nameservers(DomainName="example.net", Nameservers=servers)
    world.settle()
    key = {"Algorithm": 13, "Flags": 257, "PublicKey": RFC_KEY}
    world.api.associate_delegation_signer_to_domain(DomainName="example.net", SigningAttributes=key)
    world.settle()
    told.pull()
    assert told.of("registry-net", "example.net", "NS") == ("ns.example.net.",)
    assert told.of("registry-net", "ns.example.net", "A") == ("192.0.2.1",)
    assert told.of("registry-net", "ns.example.net", "AAAA") == ("2001:db8::1",)
    assert told.of("registry-net", "example.net", "DS") == (f"{RFC_TAG} 13 2 {RFC_DIGEST}",)


def test_a_domain_that_is_deleted_or_suspended_is_delegated_no_more(world, told):
    world.register("a.com")
    world.register("b.com")
    told.pull()
    world.api.delete_domain(DomainName="a.com")
    world.settle()
    told.pull()
    assert told.of("registry-com", "a.com", "NS") == ()
    assert told.of("registry-com", "b.com", "NS")
    world.days(15)
    told.pull()
    assert told.of("registry-com", "b.com", "NS") == delegated_to(world.store, "b.com") == ()
    world.follow_letters()
    told.pull()
    assert told.of("registry-com", "b.com", "NS")


def test_a_name_server_that_comes_back_is_told_everything_anew(world, told):
    world.register("a.com")
    told.pull()
    other = Told(told.source)
    other.pull()
    world.api.delete_domain(DomainName="a.com")
    world.settle()
    told.pull()
    other.pull()
    for each in (told, other):
        assert each.of("registry-com", "a.com", "NS") == ()
        assert each.of("registry-com", "com", "SOA")


def test_whois_tells_what_is_registered_and_hides_who_wants_to_be_hidden(world):
    world.register("example.net")
    text = world.registry.whois("EXAMPLE.NET")
    for line in (
        "Domain Name: EXAMPLE.NET",
        "Registrar: Amazon Registrar, Inc.",
        "Registry Expiry Date: 2027-01-01T00:00:00Z",
        "Domain Status: clientTransferProhibited https://icann.org/epp#clientTransferProhibited",
        "Name Server: NS-1.AWSDNS-00.COM",
        "Registrant Name: REDACTED FOR PRIVACY",
        "DNSSEC: unsigned",
    ):
        assert f"{line}\r\n" in text
    assert ANN["Email"] not in text
    world.api.update_domain_contact_privacy(DomainName="example.net", TechPrivacy=False)
    world.settle()
    text = world.registry.whois("example.net")
    assert f"Tech Email: {ANN['Email']}\r\n" in text
    assert "Registrant Email: REDACTED FOR PRIVACY\r\n" in text
    assert world.registry.whois("none.net").startswith('No match for "NONE.NET".\r\n')
    for odd in ("", "net", "\x00", "a" * 600, "-.net", "example.nosuchtld"):
        assert world.registry.whois(odd).startswith("No match")


def rdap(world, path, method="GET"):
    request = HttpRequest(method, path, "", {"host": "rdap.test"})
    response = Rdap(world.registry)(request)
    assert dict(response.headers)["content-type"] == "application/rdap+json"
    return response.status, json.loads(response.body)


def test_rdap_tells_the_same_in_json(world):
    world.register("example.net")
    world.api.update_domain_contact_privacy(DomainName="example.net", TechPrivacy=False)
    world.settle()
    status, body = rdap(world, "/rdap/domain/Example.NET")
    assert status == 200
    assert (body["objectClassName"], body["ldhName"]) == ("domain", "example.net")
    assert body["links"][0]["href"] == "http://rdap.test/rdap/domain/example.net"
    assert body["status"] == ["client transfer prohibited"]
    assert [each["ldhName"] for each in body["nameservers"]] == HOSTED
    assert body["secureDNS"] == {"delegationSigned": False}
    events = {each["eventAction"]: each["eventDate"] for each in body["events"]}
    assert events["expiration"] == "2027-01-01T00:00:00Z"
    by_role = {role: each for each in body["entities"] for role in each["roles"]}
    assert ["email", {}, "text", ANN["Email"]] in by_role["technical"]["vcardArray"][1]
    assert by_role["registrant"]["remarks"][0]["title"] == "REDACTED FOR PRIVACY"
    assert ANN["Email"] not in json.dumps(by_role["registrant"])


def test_rdap_refuses_in_json_too(world):
    assert rdap(world, "/rdap/domain/none.net")[1]["errorCode"] == 404
    assert rdap(world, "/rdap/nothing/none.net")[0] == 400
    assert rdap(world, "/elsewhere")[0] == 400
    assert rdap(world, "/rdap/domain/none.net", "POST")[0] == 405
    assert rdap(world, "/rdap/help")[0] == 200


def test_what_is_with_another_registrar_is_told_without_its_contacts(world):
    world.register("a.com", PrivacyProtectTechContact=False)
    world.api.disable_domain_transfer_lock(DomainName="a.com")
    world.settle()
    code = world.api.retrieve_domain_auth_code(DomainName="a.com")["AuthCode"]
    assert transfer_away(world.store, world.tools, "a.com", code, "Other Ltd") == ""
    _, body = rdap(world, "/rdap/domain/a.com")
    assert ["fn", {}, "text", "Other Ltd"] in body["entities"][0]["vcardArray"][1]
    assert ANN["Email"] not in json.dumps(body) + world.registry.whois("a.com")


def test_a_whois_server_answers_one_line_and_hangs_up(world):
    world.register("example.net")

    async def ask(line):
        sock = socket.create_server(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        server = await whois.serve([sock], world.registry.whois)
        try:
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(line)
                answer = await reader.read()
                writer.close()
                return answer.decode()
        finally:
            await server.stop()

    assert asyncio.run(ask(b"example.net\r\n")).startswith("Domain Name: EXAMPLE.NET\r\n")
    assert asyncio.run(ask(b"\xff\xfe\n")).startswith("No match")
    assert asyncio.run(ask(b"x" * 5000 + b"\n")) == ""
