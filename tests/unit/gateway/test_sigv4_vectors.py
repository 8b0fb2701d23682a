"""The published signing vectors, in their header and their query form."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from cloudstead.core.caller import Credential
from cloudstead.core.clock import ManualClock
from cloudstead.gateway.claim import read_claim
from cloudstead.gateway.refusals import Refused
from cloudstead.gateway.sigv4 import Verifier, sign, signing_key

VECTORS = Path(__file__).parents[3].parent / "shared/data/sigv4-vectors"
NAMES = sorted(p.parent.name for p in VECTORS.glob("*/context.json"))
if not NAMES:
    pytest.skip(f"no signing vectors at {VECTORS}", allow_module_level=True)


@dataclass
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def read(folder: Path, form: str) -> Request:
    """A request as its file writes it, folded headers and spaces in the path included."""
    head, _, body = (folder / f"{form}-signed-request.txt").read_bytes().partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, target = first.removesuffix(" HTTP/1.1").split(" ", 1)
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    last = ""
    for line in lines:
        if line.startswith(" "):
            headers[last] += " " + line.strip()
            continue
        name, _, value = line.partition(":")
        last = name.lower()
        headers[last] = f"{headers[last]},{value.strip()}" if last in headers else value.strip()
    return Request(method, path, query, headers, body.rstrip(b"\n") if not body.strip() else body)


class OneKey:
    def __init__(self, credential: Credential) -> None:
        self.credential = credential

    def find(self, access_key_id: str) -> Credential | None:
        return self.credential if access_key_id == self.credential.access_key_id else None


def context(name: str) -> dict:
    return json.loads((VECTORS / name / "context.json").read_text())


def credential(told: dict) -> Credential:
    return Credential(
        access_key_id=told["access_key_id"],
        secret_access_key=told["secret_access_key"],
        session_token=told.get("token"),
        account="123456789012",
        arn="arn:aws:iam::123456789012:root",
        user_id="123456789012",
        principal="root",
    )


@pytest.mark.parametrize("form", ["header", "query"])
@pytest.mark.parametrize("name", NAMES)
def test_the_canonical_forms_and_the_signature_are_the_published_ones(name, form):
    folder, told = VECTORS / name, context(name)
    request = read(folder, form)
    claim = read_claim(request)
    assert claim is not None
    if told.get("omit_session_token") and form == "query":
        request.query = "&".join(
            p for p in request.query.split("&") if not p.startswith("X-Amz-Security-Token")
        )
    key = signing_key(told["credentials"]["secret_access_key"], claim.date, claim.region, claim.service)
    signature, canonical, to_sign = sign(
        request, claim, key, sha256(request.body).hexdigest(), s3=not told["normalize"]
    )
    assert canonical == (folder / f"{form}-canonical-request.txt").read_text("latin-1")
    assert to_sign == (folder / f"{form}-string-to-sign.txt").read_text("latin-1")
    assert signature == (folder / f"{form}-signature.txt").read_text() == claim.signature


@pytest.mark.parametrize("form", ["header", "query"])
@pytest.mark.parametrize("name", [name for name in NAMES if context(name)["normalize"]])
def test_the_verifier_believes_them_at_their_time_and_not_a_day_later(name, form):
    told = context(name)
    if told.get("omit_session_token") and form == "query":
        pytest.skip("a token added after signing is a peculiarity of AWS IoT")
    request = read(VECTORS / name, form)
    claim = read_claim(request)
    assert claim is not None
    clock = ManualClock(datetime(2015, 8, 30, 12, 37, tzinfo=UTC))
    verifier = Verifier(OneKey(credential(told["credentials"])), clock)
    assert verifier.verify(request, claim).credential.access_key_id == "AKIDEXAMPLE"
    clock.advance(86_400)
    with pytest.raises(Refused, match="skewed"):
        verifier.verify(request, claim)
