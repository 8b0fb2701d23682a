"""Random static zones, served by NSD too: every answer is the same, name compression and order aside.

`CLOUDSTEAD_DIFFERENTIAL_QUESTIONS=100000` asks more of them.
"""

import os
import shutil
import socket
import subprocess
import time
from random import Random

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from tests.unit.dns.zoned import World, plain, putting

from cloudstead.dataplane.dns.fast import FastResponder
from cloudstead.dataplane.dns.zones import PutZone, Zone

QUESTIONS = int(os.environ.get("CLOUDSTEAD_DIFFERENTIAL_QUESTIONS", "4000"))
LABELS = ("a", "b", "c", "www", "x-1", "*")
TYPES = ("A", "AAAA", "TXT", "MX", "SRV", "CNAME", "NS", "SOA", "CAA", "PTR", "DS", "NAPTR")
ZONES = ("example.test.", "other.test.", "sub.example.test.")

pytestmark = pytest.mark.skipif(shutil.which("nsd") is None, reason="needs nsd")


def name_in(chance, zone, deepest=3):
    labels = [chance.choice(LABELS[: 5 if depth else 6]) for depth in range(chance.randrange(1, deepest + 1))]
    return ".".join([*labels, zone])


def value(chance, type, zone):
    other = name_in(chance, chance.choice(ZONES)).replace("*.", "s.")
    n = chance.randrange(250)
    return {
        "A": f"192.0.2.{n}",
        "AAAA": f"2001:db8::{n:x}",
        "TXT": f'"text {n}" "{"y" * n}"',
        "MX": f"{n} {other}",
        "SRV": f"1 2 {n} {other}",
        "CAA": f'0 issue "ca{n}.test"',
        "PTR": other,
        "NAPTR": f'{n} 1 "u" "sip" "!^.*$!sip:a@b!" .',
        "CNAME": other,
        "NS": other,
    }[type]


def zone_sets(chance, zone):
    """Records of a sound zone: a CNAME stands alone, and what lies below a cut is left out but for addresses."""
    soa = f"ns.{zone} host.{zone} 1 7200 900 1209600 {chance.choice((60, 3600))}"
    sets = {(zone, "SOA"): (soa,), (zone, "NS"): (f"ns.{zone}",), (f"ns.{zone}", "A"): ("192.0.2.253",)}
    cuts = {name_in(chance, zone, 2).replace("*.", "cut.") for _ in range(3)}
    for cut in cuts:
        sets[cut, "NS"] = (f"ns.{cut}", f"ns.{zone}")
        sets[f"ns.{cut}", "A"] = ("192.0.2.252",)
    for _ in range(60):
        name, type = (
            name_in(chance, zone),
            chance.choice(("A", "A", "AAAA", "TXT", "MX", "SRV", "CAA", "PTR", "CNAME")),
        )
        taken = {other for owner, other in sets if owner == name}
        below = any(name == cut or name.endswith(f".{cut}") for cut in cuts)
        if below or "CNAME" in taken or (type == "CNAME" and taken):
            continue
        count = 1 if type == "CNAME" else chance.randrange(1, 4)
        sets[name, type] = tuple(dict.fromkeys(value(chance, type, zone) for _ in range(count)))
    return sets


@pytest.fixture
def nsd(tmp_path):
    """Starts NSD with zones on a port of its own."""
    started = []

    def start(zones):
        port = free_port()
        stanzas = []
        for zone, sets in zones.items():
            path = tmp_path / f"{zone}zone"
            path.write_text(
                "".join(
                    f"{name} 300 IN {type} {one}\n" for (name, type), values in sets.items() for one in values
                )
            )
            stanzas.append(f"zone:\n  name: {zone}\n  zonefile: {path}\n")
        (tmp_path / "nsd.conf").write_text(
            f'server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  username: ""\n  zonesdir: "{tmp_path}"\n'
            f'  database: ""\n  pidfile: "{tmp_path}/nsd.pid"\n  xfrdfile: "{tmp_path}/xfrd"\n  rrl-ratelimit: 0\n'
            f'  zonelistfile: "{tmp_path}/list"\n  xfrdir: "{tmp_path}"\n  minimal-responses: yes\n'
            f"remote-control:\n  control-enable: no\n" + "".join(stanzas)
        )
        with (tmp_path / "nsd.log").open("w") as log:
            process = subprocess.Popen(["nsd", "-d", "-c", str(tmp_path / "nsd.conf")], stderr=log)
        started.append(process)
        return port

    yield start
    for process in started:
        process.terminate()
        process.wait(10)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def asked(client, port, message):
    """NSD's answer; while it starts there is none."""
    end = time.monotonic() + 10
    while True:
        client.sendto(message, ("127.0.0.1", port))
        try:
            return client.recv(65535)
        except (TimeoutError, ConnectionRefusedError):
            assert time.monotonic() < end, "nsd does not answer"


def told(wire):
    """An answer as what it says. Glue may be left out of one that has no room, so only a referral's counts."""
    message = dns.message.from_wire(wire)
    sections = [
        frozenset(rrset.to_text() for rrset in unordered(each))
        for each in (message.answer, message.authority)
    ]
    kept = message.flags & (dns.flags.AA | dns.flags.TC)
    return dns.rcode.to_text(message.rcode()), kept, *sections


def unordered(section):
    for rrset in section:
        rrset.items = dict(sorted(rrset.items.items(), key=lambda item: item[0].to_text()))
    return section


@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_nsds(nsd, seed):
    chance = Random(seed)
    zones = {zone: zone_sets(chance, zone) for zone in ZONES[: 2 + seed % 2]}
    world = World(
        *(PutZone(Zone(id=zone, name=zone)) for zone in zones),
        *(
            putting(zone, *(plain(name, type, *values) for (name, type), values in sets.items()))
            for zone, sets in zones.items()
        ),
    )
    fast, port = FastResponder(world.responder()), nsd(zones)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        for _ in range(QUESTIONS // 3):
            name, type = name_in(chance, chance.choice(list(zones)), 4), chance.choice(TYPES)
            edns = {"use_edns": 0, "payload": 1232} if chance.random() < 0.8 else {}
            message = dns.message.make_query(name, dns.rdatatype.from_text(type), **edns).to_wire()
            theirs, ours = asked(client, port, message), fast.answer(message, lambda: "192.0.2.1")
            if not told(theirs)[1] & dns.flags.TC:
                assert told(ours) == told(theirs), f"{name} {type}"
