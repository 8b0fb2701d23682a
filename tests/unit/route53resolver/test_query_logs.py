"""Query logs: what is written down, and where it goes."""

import asyncio
import gzip
import json
import random

import dns.message
import dns.rrset
import pytest

from cloudstead.core.tools import Tools
from cloudstead.dataplane.dns.query_log import BYTES_WAITING_MAX, QueryNotes
from cloudstead.dataplane.dns.zones import FirewallRule
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.route53resolver.operations import QueryLogDeliveries, Views

RULE = FirewallRule(
    priority=0, domains=("bad.example",), action="BLOCK", group="rslvr-frg-1", list="rslvr-fdl-1"
)


@pytest.fixture
def notes(world):
    def met(network, answer):
        return RULE if answer.question[0].name.to_text() == "bad.example." else None

    return QueryNotes(world.clock, met)


@pytest.fixture
def delivered(world, notes):
    """Delivers; gives what was put."""
    put = []
    tools = Tools(clock=world.clock, random=random.Random(1))
    deliveries = QueryLogDeliveries(
        world.store,
        tools,
        ServiceInterfaces(Resources(world.store, tools)),
        lambda account, name: name == "logs",
        take=notes.take,
        put=lambda caller, request: put.append((caller.account, request)),
    )

    def deliver():
        asyncio.run(deliveries.deliver())
        return put

    return deliver


def answered(name, *values):
    answer = dns.message.make_response(dns.message.make_query(name, "A"))
    if values:
        answer.answer.append(dns.rrset.from_text(f"{name}.", 5, "IN", "A", *values))
    return answer.to_wire()


def log_to(api, vpc, destination="arn:aws:s3:::logs/dns"):
    config = api.create_resolver_query_log_config(
        Name="log", DestinationArn=destination, CreatorRequestId=destination
    )["ResolverQueryLogConfig"]["Id"]
    api.associate_resolver_query_log_config(ResolverQueryLogConfigId=config, ResourceId=vpc.id)
    return config


def test_what_a_vpc_asked_is_put_into_the_bucket_as_aws_writes_it(api, vpc, notes, delivered):
    log_to(api, vpc)
    notes.note(vpc.id, "10.0.0.9", "UDP", answered("www.example", "192.0.2.1", "192.0.2.2"))
    notes.note(vpc.id, "10.0.0.9", "TCP", answered("bad.example"))
    ((account, request),) = delivered()
    assert (account, request["Bucket"]) == ("123456789012", "logs")
    place = (
        f"dns/AWSLogs/123456789012/vpcdnsquerylogs/{vpc.id}/2026/01/01/123456789012_vpcdnsquerylogs_{vpc.id}_"
    )
    assert request["Key"].startswith(place)
    first, second = map(json.loads, gzip.decompress(request["Body"]).splitlines())
    first["answers"].sort(key=lambda each: each["Rdata"])  # of a record set there is no order
    assert first == {
        "version": "1.100000",
        "account_id": "123456789012",
        "region": "us-east-1",
        "vpc_id": vpc.id,
        "query_timestamp": "2026-01-01T00:00:00Z",
        "query_name": "www.example.",
        "query_type": "A",
        "query_class": "IN",
        "rcode": "NOERROR",
        "answers": [{"Rdata": f"192.0.2.{n}", "Type": "A", "Class": "IN"} for n in (1, 2)],
        "srcaddr": "10.0.0.9",
        "transport": "UDP",
        "srcids": {},
    }
    assert {name: second[name] for name in second if name.startswith("firewall")} == {
        "firewall_rule_action": "BLOCK",
        "firewall_rule_group_id": "rslvr-frg-1",
        "firewall_domain_list_id": "rslvr-fdl-1",
    }
    assert len(delivered()) == 1, "nothing is told twice"


def test_each_configuration_s_bucket_gets_it_and_one_that_is_not_there_nothing(api, vpc, notes, delivered):
    log_to(api, vpc)
    log_to(api, vpc, "arn:aws:s3:::gone")
    notes.note(vpc.id, "10.0.0.9", "UDP", answered("www.example"))
    assert [request["Bucket"] for _, request in delivered()] == ["logs"]


def test_so_much_waits_and_no_more(vpc, notes):
    answer = answered("www.example")
    for _ in range(2 * BYTES_WAITING_MAX // 500):
        notes.note(vpc.id, "10.0.0.9", "UDP", answer)
    waited, lost = notes.take()
    assert lost > 0
    assert sum(len(one.answer) + 500 for one in waited) <= BYTES_WAITING_MAX
    assert notes.take() == ([], 0)


def test_what_was_no_question_is_not_noted(vpc, notes):
    notes.note(vpc.id, "10.0.0.9", "UDP", dns.message.Message(id=1).to_wire())
    assert notes.take() == ([], 0)


def test_a_vpc_is_logged_from_its_association_on(world, api, vpc):
    views = Views(world.store)
    assert not views.of(vpc.id).logged
    config = log_to(api, vpc)
    assert views.of(vpc.id).logged
    api.disassociate_resolver_query_log_config(ResolverQueryLogConfigId=config, ResourceId=vpc.id)
    assert not views.of(vpc.id).logged
