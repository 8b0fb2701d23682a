"""What every NetworkDriver promises, asked of the fake and of the kernel alike. Each call is made twice."""

import asyncio
import contextlib
import socket
from itertools import count

import pytest
from tests.contracts.network_worlds import HOST, Wire, changed, interface, left_behind, network
from tests.support.fuse import Crash, Fuse
from tests.support.netns import apart

from cloudstead.core.errors import DriverError
from cloudstead.dataplane import host
from cloudstead.dataplane.network import linux
from cloudstead.dataplane.network.driver import NetworkSeen, revision
from cloudstead.dataplane.network.fake import FakeNetworks
from cloudstead.dataplane.network.linux import LinuxNetworks

CLOUD = "00c0de"
FIRST = network(interface(1, "subnet-0a", "10.0.0.10", public="198.18.0.1"))
BOTH = changed(FIRST, interfaces=(*FIRST.interfaces, interface(2, "subnet-0a", "10.0.0.11")))
OTHER = network(interface(3, "subnet-0a", "10.0.0.10"), id="vpc-0000000000000000b")

drivers = pytest.mark.parametrize("kind", ["fake", pytest.param("linux", marks=pytest.mark.root)])


def new(kind, data):
    return FakeNetworks(data) if kind == "fake" else LinuxNetworks(data, CLOUD)


def on(kind):
    """The kernel's turn is taken apart; the fake needs nothing."""
    return apart if kind == "linux" else (lambda test: test)


def try_out(kind, scenario):
    on(kind)(lambda: asyncio.run(scenario()))()


def seen(*specs):
    return [NetworkSeen(id=spec.id, revision=revision(spec)) for spec in specs]


@drivers
def test_what_is_ensured_is_seen_and_what_is_removed_is_not(kind, tmp_path):
    async def scenario():
        before = left_behind(tmp_path) if kind == "linux" else None
        driver = new(kind, tmp_path)
        assert await driver.observe() == []
        for _ in range(2):
            await driver.ensure(FIRST)
            assert await driver.observe() == seen(FIRST)
        for _ in range(2):
            await driver.ensure(BOTH)
            assert await driver.observe() == seen(BOTH)
        await driver.ensure(OTHER)
        assert await driver.observe() == seen(BOTH, OTHER)
        for _ in range(2):
            await driver.remove(BOTH.id)
            assert await driver.observe() == seen(OTHER)
        for _ in range(2):
            await driver.remove(OTHER.id)
            assert await driver.observe() == []
        assert before is None or left_behind(tmp_path) == before

    try_out(kind, scenario)


@drivers
def test_one_that_was_never_made_can_be_removed(kind, tmp_path):
    async def scenario():
        driver = new(kind, tmp_path)
        await driver.remove("vpc-0000000000000000c")
        assert await driver.observe() == []

    try_out(kind, scenario)


@drivers
def test_a_new_driver_finds_what_an_earlier_one_made(kind, tmp_path):
    async def scenario():
        await new(kind, tmp_path).ensure(FIRST)
        again = new(kind, tmp_path)
        assert await again.observe() == seen(FIRST)
        await again.ensure(FIRST)
        assert await again.observe() == seen(FIRST)
        await again.teardown()
        assert await new(kind, tmp_path).observe() == []

    try_out(kind, scenario)


@drivers
def test_sockets_open_inside_a_network(kind, tmp_path):
    async def scenario():
        driver = new(kind, tmp_path)
        await driver.ensure(FIRST)
        with contextlib.closing(driver.open_socket(FIRST.id, "tcp", "169.254.169.254", 80)) as server:
            assert not server.getblocking()
            with contextlib.closing(driver.open_socket(FIRST.id, "udp", "10.0.0.2", 53)) as resolver:
                assert resolver.type == socket.SOCK_DGRAM
        with pytest.raises(DriverError):
            driver.open_socket("vpc-0000000000000000c", "tcp", "169.254.169.254", 80)

    try_out(kind, scenario)


@drivers
def test_many_at_once(kind, tmp_path):
    specs = [changed(FIRST, id=f"vpc-0000000000000000{n}", interfaces=()) for n in range(5)]

    async def scenario():
        driver = new(kind, tmp_path)
        await asyncio.gather(*(driver.ensure(spec) for spec in specs))
        assert await driver.observe() == seen(*specs)
        await asyncio.gather(*(driver.remove(spec.id) for spec in specs))
        assert await driver.observe() == []

    try_out(kind, scenario)


class Crashing:
    """Every command and every namespace is a touch of the fuse, before and after."""

    def __init__(self, monkeypatch, fuse):
        run, make, remove = host.run, linux.namespaces.make, linux.namespaces.remove

        async def crashing_run(*arguments, **named):
            fuse.touch()
            said = await run(*arguments, **named)
            fuse.touch()
            return said

        def crashing(effect):
            def touched(*arguments):
                fuse.touch()
                effect(*arguments)
                fuse.touch()

            return touched

        monkeypatch.setattr(host, "run", crashing_run)
        monkeypatch.setattr(linux.namespaces, "make", crashing(make))
        monkeypatch.setattr(linux.namespaces, "remove", crashing(remove))


@pytest.mark.root
@apart
def test_a_crash_at_any_step_of_making_is_survived(tmp_path, monkeypatch):
    for at in count():
        data = tmp_path / str(at)
        before = left_behind(data)
        with monkeypatch.context() as patch:
            fuse = Fuse(at)
            Crashing(patch, fuse)
            whole = _crashes(new("linux", data).ensure(FIRST)) is False
        asyncio.run(_finish_and_remove(data, before))
        if whole:
            break
    print(f"crashed at {at} points")
    assert at > 20


@pytest.mark.root
@apart
def test_a_crash_at_any_step_of_changing_and_removing_is_survived(tmp_path, monkeypatch):
    for at in count():
        data = tmp_path / str(at)
        before = left_behind(data)
        asyncio.run(new("linux", data).ensure(FIRST))
        with monkeypatch.context() as patch:
            fuse = Fuse(at)
            Crashing(patch, fuse)
            whole = _crashes(_change_and_remove(data)) is False
        if not whole and at % 2:
            asyncio.run(new("linux", data).remove(BOTH.id))
            assert left_behind(data) == before
        else:
            asyncio.run(_finish_and_remove(data, before))
        if whole:
            break
    print(f"crashed at {at} points")
    assert at > 20


async def _change_and_remove(data):
    await new("linux", data).ensure(BOTH)
    await new("linux", data).remove(BOTH.id)


async def _finish_and_remove(data, before):
    """What a crash left is seen unless nothing was made, is finished by `ensure`, and `remove` takes all of it."""
    driver = new("linux", data)
    if not await driver.observe():
        assert left_behind(data) == before
    await driver.ensure(FIRST)
    assert await driver.observe() == seen(FIRST)
    wire = Wire(driver)
    assert wire.tcp(HOST, "i-00000000000000001", 22, to="198.18.0.1") == "198.19.255.1"
    await driver.remove(FIRST.id)
    assert left_behind(data) == before


def _crashes(work):
    try:
        asyncio.run(work)
    except Crash:
        return True
    return False
