"""Networks follow their VPCs; a crash at any touch of store or world changes nothing in the end."""

import asyncio

import pytest
from tests.support.fuse import STORE_EFFECTS, Crash, Fuse, Fused
from tests.unit.ec2.vpc.world import CALLER, World

from cloudstead.control.steps import Ensure, Forget, Record, Remove
from cloudstead.core.errors import DriverError
from cloudstead.dataplane.network.driver import NetworkSeen
from cloudstead.services.ec2 import interfaces
from cloudstead.services.ec2.client_tokens import ClientToken
from cloudstead.services.ec2.network_reconcile import NatGateways, Networks, Release, Settle
from cloudstead.services.ec2.network_rows import (
    ElasticAddress,
    NatGateway,
    NetworkInterface,
    PublicAddress,
    SecurityGroup,
    Subnet,
    Vpc,
)
from cloudstead.store import Store


def attached(world, subnet_id, instance_id="i-0000000000000000a", **more):
    """An interface in an instance, as RunInstances makes it."""
    subnet = world.store.get(Subnet, subnet_id)
    (default,) = world.store.rows(SecurityGroup, vpc_id=subnet.vpc_id, name="default")
    return interfaces.insert(
        world.resources,
        CALLER,
        subnet,
        groups=(default.id,),
        instance_id=instance_id,
        attachment=interfaces.new_attachment(world.resources, device_index=0, delete_on_termination=True),
        **more,
    )


def again(world, row):
    return world.store.get(type(row), row.id)


def test_a_vpc_in_which_nothing_works_has_no_network():
    world = World(opened=True)
    world.subnet(world.vpc())
    world.settle()
    assert world.networks.specs == {}


def test_an_interface_is_placed_in_the_step_that_makes_its_network():
    world = World()
    vpc = world.vpc()
    interface = attached(world, world.subnet(vpc))

    async def work():
        networks = world.reconcilers()[0]
        await networks.pass_once()
        await networks.idle()

    asyncio.run(work())
    assert again(world, interface).placed
    assert [each.id for each in world.networks.specs[vpc].interfaces] == [interface.id]


def test_a_network_goes_with_its_last_interface_and_the_row_of_a_deleted_vpc_after_it():
    world = World()
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    interface = attached(world, subnet)
    world.settle()
    interfaces.delete(world.resources, again(world, interface))
    world.delete_subnet(SubnetId=subnet)
    world.delete_vpc(VpcId=vpc)
    assert world.store.get(Vpc, vpc) is not None
    world.settle()
    assert world.store.get(Vpc, vpc) is None
    assert world.networks.specs == {}


def test_an_interface_that_leaves_is_let_go_when_the_network_carries_it_no_more():
    world = World()
    subnet = world.subnet(world.vpc())
    stays, leaves = attached(world, subnet), attached(world, subnet, "i-0000000000000000b")
    world.settle()
    interfaces.detach(world.resources, again(world, leaves))
    world.settle()
    assert again(world, leaves).attachment is None
    assert not again(world, leaves).placed
    assert again(world, stays).placed
    assert [each.id for spec in world.networks.specs.values() for each in spec.interfaces] == [stays.id]


def test_what_is_attached_while_the_network_is_made_is_not_yet_placed():
    world = World()
    subnet = world.subnet(world.vpc())
    attached(world, subnet)
    ensure, late = world.networks.ensure, []

    async def ensuring(spec):
        await ensure(spec)
        if not late:
            late.append(attached(world, subnet, "i-0000000000000000b"))

    world.networks.ensure = ensuring

    async def work():
        networks = world.reconcilers()[0]
        await networks.pass_once()
        await networks.idle()
        assert not again(world, late[0]).placed
        await networks.pass_once()
        await networks.idle()
        assert again(world, late[0]).placed

    asyncio.run(work())


class Interrupted:
    """A store whose first look at interfaces is followed by what another process writes."""

    def __init__(self, inner, work):
        self._inner, self._work = inner, work

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def rows(self, kind, **equal):
        found = self._inner.rows(kind, **equal)
        if kind is NetworkInterface and self._work is not None:
            work, self._work = self._work, None
            work()
        return found


def test_what_another_process_attaches_meanwhile_is_not_taken_for_carried(tmp_path):
    with Store(tmp_path / "state") as ours, Store(tmp_path / "state") as theirs:
        world, other = World(store=ours), World(store=theirs)
        other.resources.tools.random.seed(8)
        subnet = world.subnet(world.vpc())
        first = attached(world, subnet)
        late = []

        def controller():
            work = lambda: late.append(attached(other, subnet, "i-0000000000000000b"))  # noqa: E731
            store = Interrupted(world.store, work)
            return Networks(type(world.resources)(store, world.resources.tools), world.networks)

        (vpc,) = world.store.rows(Vpc)
        asyncio.run(controller().perform(vpc, Ensure()))
        assert again(world, first).placed
        assert not again(world, late.pop()).placed
        world.settle()
        (seen,) = asyncio.run(world.networks.observe())
        assert controller().plan(vpc, seen) is None
        assert not again(world, late.pop()).placed


def test_what_is_lost_with_the_host_is_not_placed_until_it_is_made_again():
    world = World()
    interface = attached(world, world.subnet(world.vpc()))
    world.settle()
    world.networks.specs.clear()
    controller = Networks(world.resources, world.networks)
    (vpc,) = world.store.rows(Vpc)
    assert controller.plan(vpc, None) == Settle({})
    asyncio.run(controller.perform(vpc, Settle({})))
    assert not again(world, interface).placed
    assert controller.plan(vpc, None) == Ensure()


def test_of_a_network_left_half_made_nothing_is_placed_and_nothing_has_left():
    world = World()
    subnet = world.subnet(world.vpc())
    stays, leaves = attached(world, subnet), attached(world, subnet, "i-0000000000000000b")
    world.settle()
    interfaces.detach(world.resources, again(world, leaves))
    controller = Networks(world.resources, world.networks)
    (vpc,) = world.store.rows(Vpc)
    half = NetworkSeen(id=vpc.id, revision="")
    asyncio.run(controller.perform(vpc, controller.plan(vpc, half)))
    assert not again(world, stays).placed
    assert again(world, leaves).instance_id == "i-0000000000000000b", "it may be there still"
    assert controller.plan(vpc, half) == Ensure()
    world.settle()
    assert again(world, stays).placed
    assert again(world, leaves).instance_id == ""


def test_a_network_that_no_vpc_explains_is_removed():
    world = World()
    vpc = world.vpc()
    attached(world, world.subnet(vpc))
    world.settle()
    with world.store.transaction():
        world.store.wipe()
    world.settle()
    assert world.networks.specs == {}


def test_what_the_world_refuses_is_tried_again():
    world = World()
    interface = attached(world, world.subnet(world.vpc()))
    ensure, refusals = world.networks.ensure, [DriverError("not now")] * 3

    async def refusing(spec):
        if refusals:
            raise refusals.pop()
        await ensure(spec)

    world.networks.ensure = refusing

    async def work():
        networks = world.reconcilers()[0]
        for _ in range(10):
            await networks.pass_once()
            await networks.idle()
            world.clock.advance(1)

    asyncio.run(work())
    assert again(world, interface).placed


# --- NAT gateways


def public_nat(world):
    """A VPC with an internet gateway and a NAT gateway behind a new elastic address."""
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    gateway = world.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    world.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    elastic = world.allocate_address()["AllocationId"]
    nat = world.create_nat_gateway(SubnetId=subnet, AllocationId=elastic)["NatGateway"]
    assert nat["State"] == "pending"
    return vpc, subnet, gateway, nat["NatGatewayId"]


def nat_gateway(world, id):
    return world.describe_nat_gateways(NatGatewayIds=[id])["NatGateways"][0]


def test_a_nat_gateway_is_available_once_its_network_carries_it():
    world = World()
    vpc, subnet, _, id = public_nat(world)
    world.settle()
    assert nat_gateway(world, id)["State"] == "available"
    (interface,) = world.networks.specs[vpc].interfaces
    assert (interface.nat_gateway, interface.subnet, interface.instance) == (id, subnet, None)
    assert interface.public[0][1] == nat_gateway(world, id)["NatGatewayAddresses"][0]["PublicIp"]


def test_a_deleted_nat_gateway_lets_go_of_its_address_and_is_forgotten_after_an_hour():
    world = World()
    _, _, _, id = public_nat(world)
    world.settle()
    world.delete_nat_gateway(NatGatewayId=id)
    assert nat_gateway(world, id)["State"] == "deleting"
    world.settle()
    assert nat_gateway(world, id)["State"] == "deleted"
    assert world.store.rows(NetworkInterface) == []
    assert world.store.rows(ElasticAddress)[0].association_id == ""
    assert world.networks.specs == {}
    world.clock.advance(3600)
    world.settle()
    assert world.store.rows(NatGateway) == []


def test_a_public_nat_gateway_fails_without_an_internet_gateway():
    world = World()
    subnet = world.subnet(world.vpc())
    elastic = world.allocate_address()["AllocationId"]
    nat = world.create_nat_gateway(SubnetId=subnet, AllocationId=elastic)["NatGateway"]
    world.settle()
    shown = nat_gateway(world, nat["NatGatewayId"])
    assert (shown["State"], shown["FailureCode"]) == ("failed", "Gateway.NotAttached")
    assert world.store.rows(NetworkInterface) == []
    assert world.store.rows(ElasticAddress)[0].association_id == ""


def test_a_nat_gateway_fails_if_its_address_is_taken():
    world = World()
    _, subnet, _, first = public_nat(world)
    allocation = nat_gateway(world, first)["NatGatewayAddresses"][0]["AllocationId"]
    second = world.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    world.settle()
    assert nat_gateway(world, first)["State"] == "available"
    assert nat_gateway(world, second)["FailureCode"] == "Resource.AlreadyAssociated"


def test_a_nat_gateway_that_was_deleted_meanwhile_does_not_fail_any_more():
    world = World()
    _, subnet, _, first = public_nat(world)
    allocation = nat_gateway(world, first)["NatGatewayAddresses"][0]["AllocationId"]
    id = world.create_nat_gateway(SubnetId=subnet, AllocationId=allocation)["NatGateway"]["NatGatewayId"]
    row, controller = world.store.get(NatGateway, id), NatGateways(world.resources)
    fails = controller.plan(row, None)
    world.delete_nat_gateway(NatGatewayId=id)
    asyncio.run(controller.perform(row, fails))
    assert nat_gateway(world, id)["State"] == "deleted"


def test_no_token_outlives_what_it_made():
    world = World()
    vpc = world.vpc()
    subnet = world.subnet(vpc)
    asked = {"SubnetId": subnet, "ConnectivityType": "private", "ClientToken": "t"}
    nat = world.create_nat_gateway(**asked)["NatGateway"]["NatGatewayId"]
    assert world.create_nat_gateway(**asked)["NatGateway"]["NatGatewayId"] == nat
    world.create_route_table(VpcId=vpc, ClientToken="t")
    assert len(world.store.rows(ClientToken)) == 2
    world.delete_nat_gateway(NatGatewayId=nat)
    world.settle()
    for table in world.describe_route_tables()["RouteTables"]:
        if not table["Associations"]:
            world.delete_route_table(RouteTableId=table["RouteTableId"])
    assert world.store.rows(ClientToken) == []


# --- crashes

DRIVER_EFFECTS = ("ensure", "remove")


def test_a_crash_at_any_step_is_survived():
    """An interface comes, changes, leaves; a NAT gateway comes and goes; the VPC goes. Cut at every touch."""
    for at in range(1000):
        fuse = Fuse(at)
        world = _fused(World(), fuse)
        try:
            _life(world)
        except Crash:
            fuse.at = None
            _finish(world)
        else:
            assert at > 25, "the life has that many touches"
            return
    raise AssertionError("the life never ends")


def _life(world):
    vpc, subnet, _, nat = public_nat(world)
    interface = attached(world, subnet)
    world.settle()
    world.store.update(again(world, interface), source_dest_check=False)
    world.settle()
    interfaces.detach(world.resources, again(world, interface))
    world.settle()
    interfaces.delete(world.resources, again(world, interface))
    world.delete_nat_gateway(NatGatewayId=nat)
    world.settle()
    _clear(world, vpc)
    world.settle()
    assert world.networks.specs == {}


def _finish(world):
    """A new process brings the world to what is wanted by now; and then it can be cleared without a trace."""
    world.settle()
    for vpc in world.store.rows(Vpc):
        found = world.store.rows(NetworkInterface, vpc_id=vpc.id)
        carried = world.networks.specs[vpc.id].interfaces if vpc.id in world.networks.specs else ()
        assert {each.id for each in carried} == {each.id for each in found if each.placed}
        assert all(each.placed == each.working for each in found)
        for interface in found:
            if interface.type == "interface":
                interfaces.delete(world.resources, interface)
        for nat in world.store.rows(NatGateway):
            world.delete_nat_gateway(NatGatewayId=nat.id)
        world.settle()
        _clear(world, vpc.id)
    world.settle()
    assert world.networks.specs == {}
    assert [world.store.rows(kind) for kind in (Vpc, NetworkInterface)] == [[], []]
    assert [row.owner[:8] for row in world.store.rows(PublicAddress)] == ["eipalloc"]


def _clear(world, vpc):
    if not world.store.get(Vpc, vpc).visible:
        return
    for subnet in world.store.rows(Subnet, vpc_id=vpc):
        world.delete_subnet(SubnetId=subnet.id)
    for gateway in world.describe_internet_gateways()["InternetGateways"]:
        world.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    world.delete_vpc(VpcId=vpc)


def _fused(world, fuse):
    """Only the reconcilers' writes and the driver's effects touch the fuse: an operation is one transaction."""
    world.networks = Fused(world.networks, fuse, DRIVER_EFFECTS)
    plain, made = world.resources, world.reconcilers

    def reconcilers():
        world.resources = type(plain)(Fused(plain.store, fuse, STORE_EFFECTS), plain.tools, plain.settings)
        try:
            return made()
        finally:
            world.resources = plain

    world.reconcilers = reconcilers
    return world


def test_the_plans_of_a_nat_gateway():
    world = World()
    _, _, _, id = public_nat(world)
    controller = world.reconcilers()[1].controller

    def plan(**fields):
        row = world.store.update(world.store.get(NatGateway, id), **fields)
        return controller.plan(row, None)

    now = world.clock.now()
    assert plan() is None  # its interface is not placed
    (interface,) = world.store.rows(NetworkInterface)
    world.store.update(interface, placed=True)
    assert plan() == Record({"state": "available"})
    assert plan(state="available") is None
    assert plan(want="absent") == Release()
    assert plan(state="deleted", deleted_at=now) is None
    world.clock.advance(3600)
    assert plan() == Forget()
    assert plan(state="failed") == Record({"state": "deleted"})


@pytest.mark.parametrize("want", ["present", "absent"])
def test_a_network_without_need_is_removed_whatever_becomes_of_its_vpc(want):
    world = World()
    row = world.store.update(world.store.get(Vpc, world.vpc()), want=want)
    controller = Networks(world.resources, world.networks)
    assert controller.plan(row, NetworkSeen(id=row.id, revision="x")) == Remove()
    assert controller.plan(row, None) == (Forget() if want == "absent" else None)
