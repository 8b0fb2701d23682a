"""The reconcilers' plans, and that a crash at any touch of store or world changes nothing in the end."""

import asyncio

import msgspec
import pytest
from tests.support.fuse import STORE_EFFECTS, Crash, Fuse, Fused
from tests.unit.ec2.instances.world import World

from cloudstead.control.steps import Ensure, Forget, Record, Remove
from cloudstead.core.errors import Conflict
from cloudstead.dataplane.instances.driver import InstanceSeen
from cloudstead.services.ec2.instance_reconcile import Ended, Instances, Retire, Stop
from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.network_rows import NetworkInterface

RUNS = {"state": "running", "started_boot": 2, "host_boot": "here"}
STOPPED = {"state": "stopped", "started_boot": 1, "host_boot": "here"}


def seen(boot, *, running):
    return InstanceSeen(id="i-1", boot=boot, running=running)


@pytest.mark.parametrize(
    ("fields", "thing", "step"),
    [
        # towards running, at boot 2
        ({}, None, Ensure),
        ({}, seen(-1, running=False), Ensure),
        ({}, seen(1, running=False), Ensure),
        ({}, seen(1, running=True), Ensure),
        ({}, seen(2, running=True), Record),
        ({}, seen(2, running=False), Ensure),  # it was never known to run: perhaps it never got that far
        (RUNS, seen(2, running=True), None),
        (RUNS, seen(2, running=False), Ended),
        (RUNS | {"host_boot": "before"}, seen(2, running=False), Ensure),
        (RUNS | {"host_boot": "before"}, seen(2, running=True), Record),
        (RUNS, None, Ensure),
        (RUNS | {"started_boot": 1}, seen(1, running=True), Ensure),  # a reboot
        (RUNS | {"started_boot": 1}, seen(1, running=False), Ensure),
        (STOPPED, seen(1, running=False), Ensure),
        # towards stopped
        ({"want": "stopped"}, None, Record),
        (RUNS | {"want": "stopped"}, seen(2, running=True), Stop),
        (RUNS | {"want": "stopped"}, seen(2, running=False), Record),
        (STOPPED | {"want": "stopped"}, seen(2, running=False), None),
        (STOPPED | {"want": "stopped"}, None, None),
        (RUNS | {"ended_boot": 2}, seen(2, running=False), Record),
        (RUNS | {"ended_boot": 2}, seen(2, running=True), Stop),
        # towards terminated
        ({"want": "terminated"}, None, Retire),
        (RUNS | {"want": "terminated"}, seen(2, running=True), Remove),
        (RUNS | {"want": "terminated"}, seen(2, running=False), Remove),
        (RUNS | {"ended_boot": 2, "ended_as": "terminated"}, seen(2, running=False), Remove),
        (RUNS | {"ended_boot": 2, "ended_as": "terminated"}, None, Retire),
    ],
)
def test_each_plan_is_one_step(fields, thing, step):
    _, controller, row = _one_ready(fields)
    planned = controller.plan(row, thing)
    assert planned is step if step is None else type(planned) is step
    assert controller.plan(row, thing) == planned


def test_a_terminated_row_is_forgotten_after_its_time():
    world, controller, row = _one_ready({"want": "terminated", "state": "terminated"})
    row = world.store.update(row, terminated_at=world.clock.now())
    assert controller.plan(row, None) is None
    world.clock.advance(3600)
    assert controller.plan(row, None) == Forget()
    assert controller.plan(row, seen(2, running=True)) == Remove()


def test_a_machine_waits_for_its_disk_and_its_network():
    world = World()
    (id,) = world.run()
    controller = _controller(world)
    assert controller.plan(world.store.get(Instance, id), None) is None
    world.network.place()
    assert controller.plan(world.store.get(Instance, id), None) is None
    world.store.update(world.store.rows(Volume)[0], made=True)
    assert controller.plan(world.store.get(Instance, id), None) == Ensure()


def test_what_cannot_start_stays_pending_and_starts_later():
    world = World()
    (id,) = world.run()
    world.machines.fail = "not now"

    async def work():
        reconcilers = world.reconcilers()
        for _ in range(20):
            world.network.place()
            for one in reconcilers:
                await one.pass_once()
                await one.idle()
            world.clock.advance(1)

    asyncio.run(work())
    assert world.state(id) == "pending"
    world.machines.fail = None
    world.settle()
    assert world.state(id) == "running"


def test_a_machine_that_no_row_explains_is_removed():
    world = World()
    world.run()
    world.settle()
    for kind in (Instance, Volume, NetworkInterface):
        for row in world.store.rows(kind):
            world.store.delete(row)
    world.settle()
    assert world.machines._kept == {}
    assert world.disks._volumes == {}


def test_a_change_of_mind_while_an_image_is_built_is_heard():
    world = World()
    (id,) = world.run()
    built = world.images.ensure

    async def ensure(recipe, progress=None):
        await built(recipe, progress)
        world.terminate_instances(InstanceIds=[id])

    world.images.ensure = ensure
    started = []
    world.machines.ensure = started.append
    world.settle()
    assert started == []
    assert world.state(id) == "terminated"


DRIVER_EFFECTS = ("ensure", "stop", "remove")


def test_a_crash_at_any_step_is_survived():
    """Run, stop, start, reboot, power off, start, terminate, cut at every touch; then a new process finishes it."""
    for at in range(2000):
        fuse = Fuse(at)
        world = _fused(World(), fuse)
        reached = {"id": None}
        try:
            _life(world, reached)
        except Crash:
            fuse.at = None
            id = reached["id"]
            if id is not None:
                _finish(world, id)
        else:
            assert at > 35, "the life has that many touches"
            return
    raise AssertionError("the life never ends")


def _life(world, reached):
    (id,) = world.run()
    reached["id"] = id
    world.settle()
    for verb in (world.stop_instances, world.start_instances, world.reboot_instances):
        verb(InstanceIds=[id])
        world.settle()
    machines = world.machines._inner._kept
    machines[id] = msgspec.structs.replace(machines[id], running=False)
    world.settle()
    world.start_instances(InstanceIds=[id])
    world.settle()
    world.terminate_instances(InstanceIds=[id])
    world.settle()
    assert world.state(id) == "terminated"


def _finish(world, id):
    """Whatever was wanted when the crash came is reached; and then it can be terminated without a trace."""
    world.settle()
    row = world.store.get(Instance, id)
    if row is None:
        return
    machine = world.machines._inner._kept.get(id)
    match row.aim:
        case "running":
            assert world.state(id) == "running"
            assert (machine.running, machine.boot) == (True, row.boot)
        case "stopped":
            assert world.state(id) == "stopped"
            assert machine is None or not machine.running
    world.terminate_instances(InstanceIds=[id])
    world.settle()
    assert world.state(id) == "terminated"
    assert world.machines._inner._kept == {}
    assert world.disks._inner._volumes == {}
    assert [world.store.rows(kind) for kind in (Volume, NetworkInterface)] == [[], []]


def _fused(world, fuse):
    """Only the reconcilers' writes and the drivers' effects touch the fuse: an operation is one transaction."""
    world.machines = Fused(world.machines, fuse, DRIVER_EFFECTS)
    world.disks = Fused(world.disks, fuse, DRIVER_EFFECTS)
    world.images = Fused(world.images, fuse, ("ensure",))
    plain, made = world.store, world.reconcilers

    def reconcilers():
        world.store = Fused(plain, fuse, STORE_EFFECTS)
        try:
            return made()
        finally:
            world.store = plain

    world.reconcilers = reconcilers
    return world


def _controller(world):
    return Instances(
        world.store,
        world.clock,
        world.machines,
        world.images,
        world.network,
        host_boot="here",
        terminated_visible_s=3600,
    )


def _one_ready(fields):
    world = World()
    (id,) = world.run()
    world.network.place()
    world.store.update(world.store.rows(Volume)[0], made=True)
    row = world.store.update(world.store.get(Instance, id), boot=2, **fields)
    return world, _controller(world), row


def test_a_lost_race_is_no_harm():
    world = World()
    (id,) = world.run()
    world.settle()
    row = world.store.get(Instance, id)
    world.monitor_instances(InstanceIds=[id])
    with pytest.raises(Conflict):
        world.store.update(row, boot=7)
