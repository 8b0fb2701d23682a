"""What nobody who means well sends: names that are no paths, documents that are none, bodies that are not as told."""

from urllib.parse import quote

import pytest
from tests.unit.s3.wire.asked import SIGNED, UNSIGNED, Asked, sign
from tests.unit.s3.wire.conftest import asking
from tests.unit.s3.wire.world import answers, check_refusal

STRANGE = [
    "..",
    "../",
    ".",
    "./",
    "/",
    "//",
    "a//b",
    "../../../../etc/passwd",
    "a/../b",
    "a/./b",
    "\\..\\",
    "C:\\x",
    "%2e%2e/",
    "a\x00b",
    "\x00",
    "a\x01\x1f\x7fb",
    "a\r\nSet-Cookie: b",
    "a\tb",
    " ",
    "+",
    "a+b c%20d",
    "&=?#;,:@!$'()*[]{}<>\"`^|~",
    "\u00e9",  # composed
    "e\u0301",  # the same, decomposed
    "\u212b",  # what normal forms turn into another
    "\U0001f600/\U0010ffff",
    "\ufeff\u200b\u202e\ufffd\uffff",
    "\u0130\u0131\u00df",
    "_cloudstead/health",
    "x" * 1024,
    "\u00e9" * 512,
    "\U0001f600" * 256,
]


def test_a_key_is_no_path_and_every_one_is_another_object(world, ask):
    for number, key in enumerate(STRANGE):
        assert ask("PUT", f"/plain/{quote(key)}", body=b"%d" % number).status == 200, key
    for number, key in enumerate(STRANGE):
        assert ask("GET", f"/plain/{quote(key)}").body == b"%d" % number, key
        listed = ask("GET", "/plain", f"list-type=2&encoding-type=url&prefix={quote(key, safe='')}")
        assert b"<Key>" in listed.body, key
        check_refusal(ask("GET", f"/plain/{quote(key)}", "versionId=x"))
        copied = ask("PUT", "/kept/copy", x_amz_copy_source=quote(f"plain/{key}"))
        assert copied.status == 200, (key, copied)
        assert ask("GET", "/kept/copy").body == b"%d" % number
    for key in STRANGE:
        assert ask("DELETE", f"/plain/{quote(key)}").status == 204, key
    assert ask("GET", "/plain").body.count(b"<Key>") == 4


@pytest.mark.parametrize("key", ["x" * 1025, "\u00e9" * 513, "\U0001f600" * 257, "a/" * 512 + "b"])
def test_a_key_of_more_than_1024_bytes_is_too_long_for_every_operation(world, ask, key):
    path = f"/plain/{quote(key)}"
    asked = [
        ("PUT", "", b"x", {}),
        ("GET", "", b"", {}),
        ("DELETE", "", b"", {}),
        ("POST", "uploads=", b"", {}),
        ("PUT", "tagging=", b"<Tagging><TagSet/></Tagging>", {}),
        ("PUT", "", b"", {"x_amz_copy_source": "/plain/a"}),
    ]
    for method, query, body, headers in asked:
        answer = ask(method, path, query, body, **headers)
        assert (answer.status, answer.code) == (400, "KeyTooLongError"), (method, query, answer)
    assert ask("HEAD", path).status == 400


@pytest.mark.parametrize(
    "path", ["/plain/%ff", "/plain/%C3", "/plain/%ED%A0%80", "/plain/%F4%90%80%80", "/plain/a%C3%28"]
)
def test_what_is_not_utf_8_is_no_key(world, ask, path):
    for method in ("PUT", "GET", "DELETE"):
        answer = ask(method, path)
        assert (answer.status, answer.code) == (400, "InvalidURI"), answer


DOCUMENTS = [
    b"",
    b" ",
    b"<",
    b"<a>",
    b"<a></b>",
    b"text",
    b"\xff\xfe",
    b"<a>\x00</a>",
    b"<a>&#0;</a>",
    b"<a>&nope;</a>",
    b"<?xml version='1.0' encoding='nope'?><a/>",
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
    b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    b"<a>" * 100_000,
    b"<a " + b"b='c' " * 1000 + b"/>",
    b"{}",
]
TAKING = [
    "accelerate",
    "acl",
    "cors",
    "delete",
    "encryption",
    "lifecycle",
    "logging",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "tagging",
    "versioning",
    "website",
]


@pytest.mark.parametrize("name", TAKING)
def test_a_document_that_is_none_is_refused(world, ask, caplog, name):
    method = "POST" if name == "delete" else "PUT"
    for document in DOCUMENTS:
        answer = ask(method, "/plain", f"{name}=", document)
        assert answer.status in (400, 403, 409, 200), (document[:80], answer)
        check_refusal(answer)
        assert b"root:" not in answer.body
        if answer.status == 200:
            assert name in ("notification", "logging"), document
            assert document.startswith(b"<a"), (name, document)
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


def test_a_header_that_is_wrong_hides_no_document_that_is(world, ask):
    answer = ask("PUT", "/plain", "encryption=", b"<a/>", x_amz_sdk_checksum_algorithm="none")
    assert (answer.status, answer.code) == (400, "MalformedXML")


@pytest.mark.parametrize("value", ["\u6f22", "a\r\nX-Injected: b", "\x00", "x" * 5000])
def test_no_override_of_a_header_breaks_the_answer(world, ask, value):
    answer = ask("GET", "/plain/a", f"response-content-type={quote(value)}")
    check_refusal(answer)
    assert "x-injected" not in answer.headers
    if value == "\u6f22":
        assert (answer.status, answer.code) == (400, "InvalidArgument")
        assert b"<Message>Header value cannot be represented using ISO-8859-1.</Message>" in answer.body
        assert b"<ArgumentName>response-content-type</ArgumentName>" in answer.body


# --- bodies that are not what was told


def _put(world, body, payload=None, **headers):
    asked = Asked(
        "PUT",
        "/plain/new",
        "",
        {name.replace("_", "-"): value for name, value in headers.items()},
        body,
        payload,
    )
    sign(asked, world.key, world.tools.clock.now())
    return asked


CONTENT = bytes(range(256)) * 400  # read while it comes


@pytest.mark.parametrize("payload", [None, "UNSIGNED-PAYLOAD", SIGNED, UNSIGNED])
@pytest.mark.parametrize("size", [300, len(CONTENT)])
def test_a_body_that_ends_early_is_no_object(world, ask, payload, size):
    written = _put(world, CONTENT[:size], payload).written()
    head = written.index(b"\r\n\r\n") + 4
    for cut in (head, head + 1, (head + len(written)) // 2, len(written) - 1):
        for answer in answers(world.run(world.send(written[:head], written[head:cut]))):
            assert answer.code == "IncompleteBody"
        assert ask("GET", "/plain/new").code == "NoSuchKey"
    assert world.run(world.ask(written)).status == 200
    assert ask("GET", "/plain/new").body == CONTENT[:size]


@pytest.mark.parametrize("size", [300, len(CONTENT)])
@pytest.mark.parametrize("at", ["first", "last"])
def test_a_chunk_whose_signature_is_wrong_undoes_all_of_them(world, ask, size, at):
    asked = _put(world, CONTENT[:size], SIGNED)
    where = asked.body.index(b"signature=") if at == "first" else asked.body.rindex(b"signature=")
    digit = asked.body[where + 10 : where + 11]
    asked.body = asked.body[: where + 10] + (b"0" if digit != b"0" else b"1") + asked.body[where + 11 :]
    answer = world.run(world.ask(asked.written()))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert ask("GET", "/plain/new").code == "NoSuchKey"


@pytest.mark.parametrize(
    "said", ["-1", "+5", "5.0", "0x5", "5 5", "\xb2", "9" * 19, "99999999999999999999999"]
)
def test_a_length_that_is_no_number_is_refused(world, ask, said):
    asked = _put(world, b"hello")
    asked.headers["content-length"] = said
    for answer in answers(world.run(world.send(asked.written()))):
        assert answer.status in (400, 411, 413), answer
        check_refusal(answer)
    assert ask("GET", "/plain/new").code == "NoSuchKey"


def test_headers_that_are_too_large_are_refused_and_not_kept(world, ask):
    metadata = ask("PUT", "/plain/new", body=b"x", x_amz_meta_a="x" * 2049)
    assert (metadata.status, metadata.code) == (400, "MetadataTooLarge")
    for headers in ({"x-big": "x" * 70_000}, {f"x-{n}": "y" for n in range(300)}):
        asked = _put(world, b"x")
        asked.headers.update(headers)
        (answer,) = answers(world.run(world.send(asked.written())))
        assert (answer.status, answer.code) == (431, "RequestHeaderSectionTooLarge")
    assert ask("GET", "/plain/new").code == "NoSuchKey"


async def _both(world, asked):
    return answers(await world.send(asked)), await asking(world, "GET", "/plain/new")


SMUGGLED = b"GET /plain/a HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"content-length: 5\r\ncontent-length: 5\r\n",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"transfer-encoding : chunked\r\n",
        b"content-length: 5\r\nx: a\r\n b\r\n",
        b"content-length: 5\nx: a\r\n",
        b"content-length: 5\r\nx: a\rb\r\n",
        b"content-length: 5\r\nx\x00: a\r\n",
        b"content-length: 5\r\nhost: other\r\n",
    ],
)
def test_framing_of_which_two_readers_could_differ_ends_the_connection(world, lines):
    asked = _put(world, b"hello")
    del asked.headers["content-length"]
    head, _, body = asked.written().partition(b"\r\n\r\n")
    found, kept = world.run(_both(world, head + b"\r\n" + lines + b"\r\n" + body + SMUGGLED))
    assert [answer.status for answer in found] in ([400], [501]), found
    check_refusal(found[0])
    assert kept.code == "NoSuchKey"
