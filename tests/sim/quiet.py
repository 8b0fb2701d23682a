"""What holds when nobody disturbs and all has come to rest: the world is just what the rows want."""

from cloudstead.control.problems import Problem
from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.network_rows import NetworkInterface

AT_REST = {"running": "running", "stopped": "stopped", "terminated": "terminated"}


def check(store, host, promises, broken):
    for promised in promises.instances.values():
        if promised.shown != AT_REST[promised.want]:
            broken(f"{promised.id} rests {promised.shown}, though it was promised to be {promised.want}")
    _check_machines(store, host, broken)
    _check_volumes(store, host, broken)
    for problem in store.rows(Problem):
        broken(f"{problem.id} has still a problem: {problem.text}")


def check_nothing_is_left(store, host, broken):
    for kind in (Instance, Volume, NetworkInterface):
        for row in store.rows(kind):
            broken(f"{row.id} is left over")
    for id in (*host.machines._kept, *host.volumes._volumes):
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
