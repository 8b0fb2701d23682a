"""Some hundreds of requests that are broken as bytes, over real sockets: in pieces, one behind the other, cut off.

Whatever a client does, the next one is served, nothing is logged as a failure, and no object is half there.
"""

import asyncio
import random

import pytest
from tests.unit.s3.wire.asked import SIGNED, UNSIGNED, Asked, sign
from tests.unit.s3.wire.conftest import BUCKETS, KEYS, asking
from tests.unit.s3.wire.mutations import OPERATIONS, spoil, spoil_bytes, valid
from tests.unit.s3.wire.world import answers, check_refusal

from cloudstead.dataplane.http import listen

_AT_ONCE = 20


async def _listening(world):
    (sock, *more) = listen("127.0.0.1", 0)
    for each in more:
        each.close()
    await world.server.listen_on(sock)
    return world.server.ports[0]


async def _to_the_end(world, speaking):
    """What was spoken of; nobody listens any more."""
    try:
        async with asyncio.timeout(40):
            return await speaking
    finally:
        await world.server.stop(within_s=1)


def _broken(chance, world):
    asked = valid(chance, chance.choice(OPERATIONS), BUCKETS, KEYS, [])
    sign(asked, world.key, world.tools.clock.now())
    if chance.random() < 0.3:
        spoil(chance, asked)
    written = spoil_bytes(chance, asked.written())
    if chance.random() < 0.2:
        written = written[: chance.randrange(len(written) + 1)]
    if chance.random() < 0.2:
        written += written
    return written


async def _said_to(port, chance, written):
    """What comes back until the server closes; sometimes the client goes first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    leaves = chance.random() < 0.2
    try:
        while written:
            size = chance.choice((1, 40, 1000, 100_000))
            writer.write(written[:size])
            written = written[size:]
            if size < 1000:
                await asyncio.sleep(0)
            else:
                await writer.drain()
        if leaves:
            return b""
        if chance.random() < 0.5:
            writer.write_eof()
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("seed", range(4))
def test_broken_bytes_harm_nobody(world, seed, caplog):
    chance = random.Random(f"sockets {seed}")

    async def speak():
        port = await _listening(world)
        spoken = 0
        for _ in range(5):
            some = [_broken(chance, world) for _ in range(_AT_ONCE)]
            for written, found in zip(
                some, await asyncio.gather(*[_said_to(port, chance, one) for one in some]), strict=True
            ):
                for answer in answers(found) if b"HEAD" not in written else ():
                    check_refusal(answer)
                    spoken += 1
        asked = Asked("GET", "/plain", "list-type=2")
        sign(asked, world.key, world.tools.clock.now())
        assert b"200 OK" in await _said_to(port, _Whole(), asked.written())
        return spoken

    assert world.run(_to_the_end(world, speak())) > 30
    assert not [each for each in caplog.records if each.levelname in ("ERROR", "CRITICAL")]


@pytest.mark.parametrize("payload", [None, SIGNED, UNSIGNED])
def test_a_client_that_is_cut_off_anywhere_leaves_no_object(world, payload):
    asked = Asked("PUT", "/plain/new", body=bytes(200_000), payload=payload)
    sign(asked, world.key, world.tools.clock.now())
    written = asked.written()

    async def cut():
        port = await _listening(world)
        for at in (1, 100, 700, 2000, 70_000, 150_000, len(written) - 1):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(written[:at])
            await writer.drain()
            writer.transport.abort()
            assert (await asking(world, "GET", "/plain/new")).code == "NoSuchKey"
        while world.server.connection_count:
            await asyncio.sleep(0.01)
        assert (await asking(world, "GET", "/plain/new")).code == "NoSuchKey"
        assert (await asking(world, "GET", "/plain")).body.count(b"<Key>") == len(KEYS)

    world.run(_to_the_end(world, cut()))


def test_requests_one_behind_the_other_are_answered_in_their_order(world):
    async def speak():
        port = await _listening(world)
        written = b""
        for number in range(30):
            asked = Asked(
                *(("PUT", f"/plain/n{number // 2}") if number % 2 == 0 else ("GET", f"/plain/n{number // 2}"))
            )
            asked.body = b"%d" % number * 50 if number % 2 == 0 else b""
            sign(asked, world.key, world.tools.clock.now())
            written += asked.written()
        return answers(await _said_to(port, _Whole(), written))

    found = world.run(_to_the_end(world, speak()))
    assert [answer.status for answer in found] == [200] * 30
    assert [answer.body for answer in found[1::2]] == [b"%d" % number * 50 for number in range(0, 30, 2)]


class _Whole(random.Random):
    """Chooses the largest pieces and stays to the end."""

    def choice(self, all):
        return all[-1]

    def random(self):
        return 0.9
