"""A domain that is registered can be reached from the root, as any resolver goes: nobody is asked but the servers named.

The cloud runs in a network of its own, where its name server has port 53 and is the machine's resolver: `dig +trace`
looks the servers' addresses up there.
"""

import asyncio
import contextlib
import json
import random
import socket
import subprocess
import threading
import urllib.request

import pytest
from tests.support.cloud import Cloud, free_port, until
from tests.support.netns import apart

from cloudstead.dataplane import dns
from cloudstead.dataplane.dns import zones as told

ROOT, TLD, OWN = "127.0.53.1", "127.0.53.2", "127.0.53.9"
ZONE = (
    ("example.org", "SOA", "ns.example.org. hostmaster.example.org. 1 7200 900 1209600 60"),
    ("example.org", "NS", "ns.example.org."),
    ("ns.example.org", "A", OWN),
    ("www.example.org", "A", "192.0.2.80"),
)
PUBLIC_KEY = "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
DIGEST = "A6F5B21502D5E1B13E30DED1E705F2EAAA65D3FDCD8469644545BDDAC8CC0ACA"
ANN = {
    "FirstName": "Ann",
    "LastName": "Example",
    "ContactType": "PERSON",
    "AddressLine1": "1 Main Street",
    "City": "Vienna",
    "CountryCode": "AT",
    "ZipCode": "1010",
    "PhoneNumber": "+43.1234567",
    "Email": "ann@example.net",
}


@pytest.mark.root
@apart
def test_a_registered_domain_is_found_from_the_root_and_described_to_everybody(tmp_path):
    _overlay(tmp_path, "resolv.conf", "nameserver 127.0.0.1\n")
    _overlay(tmp_path, "hosts", f"127.0.0.1 localhost\n{OWN} ns.example.org\n")
    rdap, whois = free_port(), free_port()
    cloud = Cloud(
        tmp_path,
        dns_port=53,
        machines="fake",
        registry_dns=f"{ROOT},{TLD}",
        rdap_port=str(rdap),
        whois_port=str(whois),
    )
    cloud.up()
    try:
        _register(cloud, "example.org")
        _check_hosted(cloud)
        _check_trace(cloud)
        _check_described(rdap, whois)
    finally:
        cloud.down()


def _overlay(folder, name, text):
    (folder / name).write_text(text)
    subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True, timeout=10)


def _register(cloud, name):
    domains = cloud.client("route53domains")
    contacts = {f"{role}Contact": ANN for role in ("Admin", "Registrant", "Tech")}
    id = domains.register_domain(DomainName=name, DurationInYears=1, **contacts)["OperationId"]
    _done(domains, id)
    letters = json.loads(_get(f"{cloud.endpoint}/_cloudstead/mail"))["letters"]
    said = _get(f"{cloud.endpoint}/_cloudstead/mail/{letters[0]['id']}", method="POST")
    assert "is confirmed" in said
    assert domains.get_contact_reachability_status(domainName=name)["status"] == "DONE"


def _done(domains, id):
    until(lambda: domains.get_operation_detail(OperationId=id)["Status"] == "SUCCESSFUL")


def _check_trace(cloud):
    domains = cloud.client("route53domains")
    inside = {"Name": "ns.example.org", "GlueIps": [OWN]}
    key = {"Algorithm": 13, "Flags": 257, "PublicKey": PUBLIC_KEY}
    for call, asked in (
        (domains.update_domain_nameservers, {"Nameservers": [inside]}),
        (domains.associate_delegation_signer_to_domain, {"SigningAttributes": key}),
    ):
        _done(domains, call(DomainName="example.org", **asked)["OperationId"])
    with _own_server():
        trace = _dig(f"@{ROOT}", "+trace", "www.example.org", "A")
    lines = [line.split() for line in trace.splitlines() if line and not line.startswith(";")]
    assert [".", "60", "IN", "NS", "root.registry.internal."] in lines
    assert ["org.", "60", "IN", "NS", "tld.registry.internal."] in lines
    assert ["example.org.", "60", "IN", "NS", "ns.example.org."] in lines
    assert ["www.example.org.", "60", "IN", "A", "192.0.2.80"] in lines
    assert [ROOT in trace, TLD in trace, OWN in trace] == [True] * 3
    signer = _dig(f"@{TLD}", "+norecurse", "+short", "example.org", "DS").split()
    assert signer[:3] == ["55648", "13", "2"]
    assert "".join(signer[3:]) == DIGEST


def _check_hosted(cloud):
    """What RegisterDomain delegates to: the servers of the new hosted zone, and where they are."""
    servers = [
        each["Name"]
        for each in cloud.client("route53domains").get_domain_detail(DomainName="example.org")["Nameservers"]
    ]
    assert len(servers) == 4
    referral = _dig(f"@{TLD}", "+norecurse", "www.example.org")
    assert all(f"{server}." in referral for server in servers)
    for server in servers:
        assert _dig(f"@{TLD}", "+norecurse", "+short", server, "A").split() == ["127.0.0.1"]
        assert _dig("@127.0.0.1", "+norecurse", "+short", server, "A").split() == ["127.0.0.1"]
    assert "NXDOMAIN" in _dig(f"@{TLD}", "+norecurse", "nobody-has-this.org")
    route53 = cloud.client("route53")
    (zone,) = route53.list_hosted_zones()["HostedZones"]
    record = {"Name": "www.example.org", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    change = {"Action": "CREATE", "ResourceRecordSet": record}
    made = route53.change_resource_record_sets(HostedZoneId=zone["Id"], ChangeBatch={"Changes": [change]})
    until(lambda: route53.get_change(Id=made["ChangeInfo"]["Id"])["ChangeInfo"]["Status"] == "INSYNC")
    trace = _dig(f"@{ROOT}", "+trace", "www.example.org", "A")
    assert ["www.example.org.", "60", "IN", "A", "192.0.2.1"] in [line.split() for line in trace.splitlines()]
    assert [ROOT in trace, TLD in trace, "127.0.0.1" in trace] == [True] * 3


@contextlib.contextmanager
def _own_server():
    """A name server that the domain's owner runs."""
    image = dns.Image()
    image.apply(told.Batch(1, (told.PutZone(told.Zone(id="own", name="example.org")), *map(_record, ZONE))))
    ready, ended = threading.Event(), []

    async def serve():
        sockets = [socket.create_server((OWN, 53)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
        sockets[1].bind((OWN, 53))
        zones = dns.Responder(image, dns.Health(), random=random.Random(7))
        server = await dns.serve(_Nothing(), sockets, zones=zones)
        ready.set()
        while not ended:
            await asyncio.sleep(0.02)
        await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        ended.append(True)
        thread.join(10)


def _record(record):
    name, kind, value = record
    sets = (told.RecordSet(name=name, type=kind, ttl_s=60, values=(value,)),)
    return told.PutRecords("own", name, kind, sets)


class _Nothing:
    def serves(self, view):
        return True

    def lookup(self, view, name, type):
        return None


def _check_described(rdap, whois):
    body = json.loads(_get(f"http://127.0.0.1:{rdap}/rdap/domain/example.org"))
    assert body["ldhName"] == "example.org"
    with socket.create_connection(("127.0.0.1", whois), timeout=10) as connection:
        connection.sendall(b"example.org\r\n")
        text = connection.makefile("rb").read().decode()
    assert "Registrar: Amazon Registrar, Inc." in text
    assert ANN["Email"] not in text


def _dig(*words):
    done = subprocess.run(
        ["dig", "-4", "+time=2", "+tries=2", *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _get(url, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return answer.read().decode()
