"""What holds when nobody disturbs and all has come to rest: the world is just what the rows want."""

from tests.sim.route_callers import leads

from cloudstead.control.problems import Problem
from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.network_rows import (
    ElasticAddress,
    NatGateway,
    NetworkInterface,
    PublicAddress,
    Vpc,
)

AT_REST = {"running": "running", "stopped": "stopped", "terminated": "terminated"}


def check(store, host, promises, broken):
    for promised in promises.instances.values():
        if promised.shown != AT_REST[promised.want]:
            broken(f"{promised.id} rests {promised.shown}, though it was promised to be {promised.want}")
    _check_machines(store, host, broken)
    _check_volumes(store, host, broken)
    _check_networks(store, host, promises, broken)
    for problem in store.rows(Problem):
        broken(f"{problem.id} has still a problem: {problem.text}")


def check_nothing_is_left(store, host, broken):
    for kind in (Instance, Volume, NetworkInterface, NatGateway, ElasticAddress, PublicAddress):
        for row in store.rows(kind):
            broken(f"{row.id} is left over")
    for row in store.rows(Vpc):
        if not row.is_default:
            broken(f"{row.id} is left over")
    for id in (*host.machines._kept, *host.volumes._volumes, *host.networks.specs, *host.networks.torn):
        broken(f"{id} is left over in the world")


def _check_machines(store, host, broken):
    wanted = {row.id: row.boot for row in store.rows(Instance) if row.aim == "running"}
    running = {seen.id: seen.boot for seen in host.machines._kept.values() if seen.running}
    if wanted != running:
        broken(f"machines {running} run, and {wanted} are wanted")
    for id in host.machines._kept:
        if store.get(Instance, id) is None:
            broken(f"{id} is a machine without an instance")


def _check_volumes(store, host, broken):
    wanted = {row.id for row in store.rows(Volume) if row.want == "present"}
    if wanted != set(host.volumes.whole) or wanted != set(host.volumes._volumes):
        broken(f"volumes {sorted(host.volumes._volumes)} are there, and {sorted(wanted)} are wanted")


def _check_networks(store, host, promises, broken):
    """Every network carries what works in its VPC, as it is, and nothing else."""
    if host.networks.torn:
        broken(f"networks {sorted(host.networks.torn)} are torn")
    carried = {one.id: one for spec in host.networks.specs.values() for one in spec.interfaces}
    working = {row.id: row for row in store.rows(NetworkInterface) if row.working}
    if set(carried) != set(working):
        broken(f"networks carry {sorted(carried)}, and {sorted(working)} work")
        return
    for id, row in working.items():
        if not row.placed:
            broken(f"{id} is carried and not placed")
        _check_carried(row, carried[id], broken)
    for row in store.rows(NetworkInterface):
        if row.attachment is not None and row.attachment.leaving:
            broken(f"{row.id} never leaves {row.instance_id}")
        instance = promises.instances.get(row.instance_id)
        up = instance is not None and instance.alone and instance.want == "running"
        if up and row.auto_public and not any(each.public for each in row.addresses):
            broken(f"{row.id} is up without its public address")
    for row in store.rows(Vpc):
        if row.want == "absent":
            broken(f"{row.id} is never forgotten")
    for nat in promises.network.nats.values():
        if nat.shown in ("pending", "deleting"):
            broken(f"{nat.id} rests {nat.shown}")
    _check_rules(host, promises.network, broken)
    _check_routes(host, promises, broken)


def _check_carried(row, carried, broken):
    wanted = (
        row.instance_id or None,
        tuple(each.address for each in row.addresses),
        tuple((each.address, each.public.address) for each in row.addresses if each.public),
        row.groups,
    )
    if (carried.instance, carried.addresses, carried.public, carried.groups) != wanted:
        broken(f"{row.id} is carried as {carried}, and wanted as {wanted}")


def _check_rules(host, promised, broken):
    """A group in force lets in and out what callers were told it does; all may go out unless they took that away."""
    for spec in host.networks.specs.values():
        for group in spec.groups:
            if group.id not in promised.groups:
                continue
            for egress, applied in ((False, group.ingress), (True, group.egress)):
                found = {(one.protocol, one.from_port, one.cidr or one.group) for one in applied}
                wanted = {rule[2:] for rule in promised.rules.values() if rule[:2] == (group.id, egress)}
                if egress:
                    wanted.add(("-1", None, "0.0.0.0/0"))
                if found != wanted:
                    broken(f"{group.id} applies {found}, and {wanted} was authorized")


def _check_routes(host, promises, broken):
    for vpc, table in promises.network.tables.items():
        wanted = {
            destination: leads(promises, vpc, kind, target)
            for (of, destination), (kind, target) in promises.network.routes.items()
            if of == table
        }
        spec = host.networks.specs.get(vpc)
        for subnet in spec.subnets if spec is not None else ():
            found = {route.destination: (route.via, route.target) for route in subnet.routes}
            if found != wanted:
                broken(f"routes of {subnet.id} are applied as {found}, and {wanted} was made")
