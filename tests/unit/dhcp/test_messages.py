"""What DHCP clients ask is understood, and what they are told is what their network says."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstead.dataplane.dhcp import Lease, messages

MAC = "0a:1b:2c:3d:4e:5f"
LEASE = Lease(
    address="10.0.1.20",
    subnet="10.0.1.0/24",
    hostname="ip-10-0-1-20",
    domain="example.com",
    name_servers=("10.0.0.2", "192.0.2.53"),
    ntp_servers=("192.0.2.123",),
)
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, INFORM = 1, 2, 3, 4, 5, 6, 8


def packed(address):
    return ipaddress.IPv4Address(address).packed


def question(type, *options, own="0.0.0.0", op=1):
    """As a client sends it."""
    fixed = struct.pack(
        "!BBBBIHH4s4s4s4s16s64s128s",
        op,
        1,
        6,
        0,
        77,
        0,
        0x8000,
        packed(own),
        bytes(4),
        bytes(4),
        bytes(4),
        bytes.fromhex(MAC.replace(":", "")),
        b"",
        b"",
    )
    said = b"".join(bytes([code, len(value)]) + value for code, value in ((53, bytes([type])), *options))
    return fixed + b"\x63\x82\x53\x63" + said + b"\xff"


def answered(*arguments, **more):
    """The type, the address given and the options of the answer."""
    asked = messages.read(question(*arguments, **more))
    answer = messages.answer(asked, LEASE)
    if answer is None:
        return None
    assert (answer[0], answer[4:8], answer[28:34].hex(":")) == (2, struct.pack("!I", 77), MAC)
    options, at = {}, 240
    while answer[at] != 255:
        options[answer[at]] = answer[at + 2 : at + 2 + answer[at + 1]]
        at += 2 + answer[at + 1]
    return options[53][0], str(ipaddress.IPv4Address(answer[16:20])), options


def test_a_client_is_offered_its_address_with_all_that_goes_with_it():
    type, address, options = answered(DISCOVER)
    assert (type, address) == (OFFER, "10.0.1.20")
    assert options[1] == packed("255.255.255.0")
    assert options[3] == options[54] == packed("10.0.1.1")
    assert options[6] == packed("10.0.0.2") + packed("192.0.2.53")
    assert (options[12], options[15]) == (b"ip-10-0-1-20", b"example.com")
    assert (options[42], options[51]) == (packed("192.0.2.123"), struct.pack("!I", 3600))
    assert 44 not in options  # what the network does not say is left out


def test_its_own_address_is_confirmed_and_any_other_refused():
    assert answered(REQUEST, (50, packed("10.0.1.20")))[:2] == (ACK, "10.0.1.20")
    assert answered(REQUEST, own="10.0.1.20")[:2] == (ACK, "10.0.1.20")
    type, address, options = answered(REQUEST, (50, packed("10.0.1.99")))
    assert (type, address, 6 in options) == (NAK, "0.0.0.0", False)


def test_who_chose_another_server_is_left_alone():
    mine, other = packed("10.0.1.1"), packed("10.0.1.7")
    assert answered(REQUEST, (50, packed("10.0.1.20")), (54, mine))[0] == ACK
    assert answered(REQUEST, (50, packed("10.0.1.20")), (54, other)) is None


def test_who_has_an_address_is_told_the_rest():
    type, address, options = answered(INFORM, own="10.0.1.20")
    assert (type, address, 51 in options, options[15]) == (ACK, "0.0.0.0", False, b"example.com")


@pytest.mark.parametrize("type", [DECLINE, OFFER, 7, 200])
def test_other_messages_need_no_answer(type):
    assert answered(type) is None


def test_what_is_no_question_is_ignored():
    whole = question(DISCOVER)
    assert messages.read(question(DISCOVER, op=2)) is None
    assert messages.read(whole[:240]) is None
    assert messages.read(whole[:236] + b"nope" + whole[240:]) is None


@given(st.binary(max_size=600), st.binary(max_size=300))
def test_nothing_a_client_sends_does_harm(noise, options):
    for message in (noise, question(DISCOVER)[:240] + options):
        asked = messages.read(message)
        if asked is not None:
            messages.answer(asked, LEASE)
