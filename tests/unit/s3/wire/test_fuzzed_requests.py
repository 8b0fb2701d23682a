"""10,000 requests that went wrong on the way: S3's error or its answer, nothing of ours, and nothing half done.

CLOUDSTEAD_S3_FUZZ_SEEDS=200 tries more worlds than the twenty that always run, each with 500 requests.
"""

import os
import random
from hashlib import md5
from urllib.parse import quote, unquote_plus
from xml.etree import ElementTree as ET

import pytest
from tests.unit.s3.wire.asked import sign
from tests.unit.s3.wire.conftest import BUCKETS, KEYS, asking
from tests.unit.s3.wire.mutations import OPERATIONS, spoil, spoil_bytes, valid
from tests.unit.s3.wire.world import answers, check_refusal

_SEEDS = int(os.environ.get("CLOUDSTEAD_S3_FUZZ_SEEDS", "20"))
_EACH = 500


async def _uploads(world):
    """Uploads begun in each bucket, as (bucket, key, upload id)."""
    found = []
    for bucket in BUCKETS:
        answer = await asking(world, "POST", f"/{bucket}/a", "uploads=")
        upload = answer.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        found.append((bucket, "a", upload))
    return found


def _fuzzed(chance, world, uploads):
    """A request in bytes: as it should be, or spoiled before it was signed, after that, or as bytes."""
    asked = valid(chance, chance.choice(OPERATIONS), BUCKETS, KEYS, uploads)
    way = chance.choice(("not", "before", "before", "before", "after", "after", "bytes", "unsigned"))
    if way == "before":
        spoil(chance, asked)
    if way != "unsigned":
        sign(asked, world.key, world.tools.clock.now())
    if way == "after":
        spoil(chance, asked)
    written = asked.written()
    return spoil_bytes(chance, written) if way == "bytes" else written


def _in_pieces(chance, written):
    cut = chance.randrange(len(written)) if written and chance.random() < 0.3 else 0
    return written[:cut], written[cut:]


@pytest.mark.parametrize("seed", range(_SEEDS))
def test_what_went_wrong_on_the_way_is_refused_as_s3_does_and_changes_nothing(world, seed, caplog):
    chance = random.Random(seed)
    seen = set()

    async def fuzz():
        uploads = await _uploads(world)
        for number in range(_EACH):
            written = _fuzzed(chance, world, uploads)
            commits, moment = world.commits, world.store.moment()
            found = answers(await world.send(*_in_pieces(chance, written)))
            trace = [each for each in caplog.records if each.levelname in ("ERROR", "CRITICAL")]
            assert not trace, (number, written[:3000], trace[0].exc_text)
            for answer in found:
                seen.add(answer.code or answer.status)
                check_refusal(answer, head=b"HEAD" in written)
            if found and all(answer.status >= 400 for answer in found):
                rows = {kind for kind in world.store.changed_since(moment)[1] if "kms" not in kind.lower()}
                assert (world.commits, rows) == (commits, set()), (number, written, found)

    world.run(fuzz())
    assert len(seen) > 25, seen
    world.run(_all_is_whole(world))


async def _all_is_whole(world):
    """Every object that can be listed is there to its last byte, as long as it was told to be, and as its ETag says."""
    looked = 0
    for bucket in BUCKETS:
        listed = await asking(world, "GET", f"/{bucket}", "versions=&encoding-type=url")
        if listed.status != 200:
            continue  # the bucket is gone
        for version in ET.fromstring(listed.body).iter(f"{_NAMES}Version"):
            key, size, etag = (version.find(f"{_NAMES}{name}").text for name in ("Key", "Size", "ETag"))
            query = f"versionId={version.find(f'{_NAMES}VersionId').text}"
            got = await asking(world, "GET", f"/{bucket}/{quote(unquote_plus(key))}", query)
            assert got.status == 200 or got.code in _UNREADABLE, got
            if got.status == 200:
                assert len(got.body) == int(size)
                sealed = got.headers.get("x-amz-server-side-encryption") != "AES256"
                assert sealed or "-" in etag or etag.strip('"') == md5(got.body).hexdigest()
                looked += 1
    assert looked > 3


#: Sealed under the client's own key, or archived.
_UNREADABLE = ("InvalidRequest", "InvalidObjectState")
_NAMES = "{http://s3.amazonaws.com/doc/2006-03-01/}"
