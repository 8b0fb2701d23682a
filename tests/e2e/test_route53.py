"""Hosted zones from a client's call to the answer of the name server, over restarts and kills too."""

import os
import signal
import time

import dns.message
import dns.query
import dns.rcode
import pytest
from tests.support.cloud import Cloud, until


@pytest.fixture
def cloud(tmp_path):
    cloud = Cloud(tmp_path, machines="fake")
    cloud.up()
    yield cloud
    cloud.down()


@pytest.fixture
def zone(cloud):
    made = cloud.client("route53").create_hosted_zone(Name="example.test", CallerReference="1")
    return made["HostedZone"]["Id"]


def asked(cloud, name, type="A"):
    """The code and the values that the name server answers with."""
    answer = dns.query.udp(dns.message.make_query(name, type), "127.0.0.1", port=cloud.dns_port, timeout=5)
    return dns.rcode.to_text(answer.rcode()), sorted(
        each.to_text() for rrset in answer.answer for each in rrset
    )


def upsert(cloud, zone, name, value):
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {"Name": name, "Type": "A", "TTL": 5, "ResourceRecords": [{"Value": value}]},
        }
    ]
    answer = cloud.client("route53").change_resource_record_sets(
        HostedZoneId=zone, ChangeBatch={"Changes": changes}
    )
    return answer["ChangeInfo"]["Id"]


def test_a_change_is_answered_when_it_is_in_sync(cloud, zone):
    route53 = cloud.client("route53")
    for n in range(1, 6):
        change, called = upsert(cloud, zone, "www.example.test", f"192.0.2.{n}"), time.monotonic()
        until(lambda change=change: route53.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC")
        took_s = time.monotonic() - called
        assert asked(cloud, "www.example.test") == ("NOERROR", [f"192.0.2.{n}"])
        assert took_s < 1
    assert asked(cloud, "none.example.test") == ("NXDOMAIN", [])
    told = route53.test_dns_answer(HostedZoneId=zone, RecordName="www.example.test", RecordType="A")
    assert (told["ResponseCode"], told["RecordData"]) == ("NOERROR", ["192.0.2.5"])


def test_zones_survive_kills_and_restarts(cloud, zone):
    upsert(cloud, zone, "www.example.test", "192.0.2.1")
    os.kill(cloud.processes()["names"], signal.SIGKILL)
    until(lambda: asked(cloud, "www.example.test") == ("NOERROR", ["192.0.2.1"]))
    cloud.down(everything=False)
    cloud.up()
    assert asked(cloud, "www.example.test") == ("NOERROR", ["192.0.2.1"])
    route53 = cloud.client("route53")
    assert route53.get_hosted_zone(Id=zone)["HostedZone"]["ResourceRecordSetCount"] == 3
