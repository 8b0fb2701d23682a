"""From a call to the packets: operations, the runner and a real network in one process."""

import asyncio
import contextlib
import socket
import time

import pytest
from tests.contracts.network_worlds import packets
from tests.unit.ec2.vpc.test_network_reconcile import again, attached
from tests.unit.ec2.vpc.world import World

from cloudstead.control.runner import Runner
from cloudstead.core.clock import SystemClock
from cloudstead.services.ec2 import interfaces
from cloudstead.services.ec2.network_reconcile import NatGateways, Networks
from cloudstead.services.ec2.network_rows import NetworkInterface
from cloudstead.store import Store

pytestmark = pytest.mark.root

_WAIT_S_MAX = 10.0
ONE, TWO = "i-0000000000000000a", "i-0000000000000000b"


@contextlib.asynccontextmanager
async def running(driver):
    """A world whose controllers run, woken by every commit, as in the controller process."""
    woken = []
    world = World(store=Store(None, on_commit=lambda: [runner.wake() for runner in woken]))
    controllers = [Networks(world.resources, driver), NatGateways(world.resources)]
    woken.append(Runner(controllers, world.store, SystemClock()))
    task = asyncio.create_task(woken[0].run())
    try:
        yield world
    finally:
        for interface in world.store.rows(NetworkInterface):
            interfaces.delete(world.resources, again(world, interface))
        await seconds_until(lambda: not driver._journal.ids())
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def seconds_until(holds):
    """How long it takes until this holds."""
    start = time.monotonic()
    while not holds():
        assert time.monotonic() < start + _WAIT_S_MAX, "it never holds"
        await asyncio.sleep(0.001)
    return time.monotonic() - start


def udp(wire, where, address, port):
    def bound():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((address, port))
        made.setblocking(False)
        return made

    return wire.inside(where, bound)


def arrives(sender, receiver, to):
    """Whether a datagram that is sent now, or was before, has come."""
    sender.sendto(b"x", to)
    try:
        receiver.recv(10)
    except BlockingIOError:
        return False
    return True


@packets
async def test_a_changed_rule_holds_as_soon_as_it_is_applied(driver, wire):
    async with running(driver) as world:
        subnet = world.subnet(world.vpc())
        one, two = attached(world, subnet, ONE), attached(world, subnet, TWO)
        await seconds_until(lambda: again(world, one).placed and again(world, two).placed)
        (group,) = two.groups
        default = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
        world.revoke_security_group_ingress(GroupId=group, IpPermissions=[default])
        address = two.primary.address
        with contextlib.closing(udp(wire, ONE, one.primary.address, 9)) as sender:
            for port in range(5000, 5005):
                with contextlib.closing(udp(wire, TWO, address, port)) as receiver:
                    await asyncio.sleep(0.05)
                    assert not arrives(sender, receiver, (address, port))
                    world.authorize_security_group_ingress(
                        GroupId=group,
                        IpProtocol="udp",
                        FromPort=port,
                        ToPort=port,
                        CidrIp=f"{one.primary.address}/32",
                    )
                    await seconds_until(lambda: arrives(sender, receiver, (address, port)))
