"""The world that the controllers drive: fakes that keep the drivers' contracts, can be half made, and know the laws.

A law is what no controller may ever do, whatever its rows say: take a disk or a network from under a running machine,
start a run again that ended by itself, put two machines on one root volume.
"""

from contextvars import ContextVar
from typing import NamedTuple

import msgspec

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.block.driver import VolumeSeen
from cloudstead.dataplane.block.fake import FakeVolumes
from cloudstead.dataplane.images.fake import FakeImages
from cloudstead.dataplane.instances.driver import InstanceSeen
from cloudstead.dataplane.instances.fake import FakeMachines
from cloudstead.dataplane.network.driver import NetworkSeen
from cloudstead.dataplane.network.fake import FakeNetworks

#: When the image was there for the step that is under way.
_IMAGE_READY = ContextVar("image ready", default=None)


class Run(NamedTuple):
    """One run of a machine."""

    id: str
    boot: int


class Host:
    """All that exists on the host. `broken` is told of every law that is broken; `tick` counts what has happened."""

    def __init__(self, trouble, broken, say, tick):
        self.trouble, self.broken, self.say, self.tick = trouble, broken, say, tick
        self.number = 1
        self.machines, self.volumes = Machines(self), Volumes(self)
        self.networks, self.images = Networks(self), Images(self)
        self.specs = {}  # of every machine that was ever started, the latest
        self.ran = set()  # every Run that ever was
        self.ended = set()  # every Run that ended by itself
        self.known_ended = set()  # those of them that were known to run, on this run of the host
        self.answered = set()  # every Run that the controllers' process of now was told it has started
        self.promised_interfaces = {}
        self.promised = {}  # whose machine a law protects: what no row explains may go in any order

    @property
    def boot(self):
        return f"boot {self.number}"

    def running(self):
        return [seen.id for seen in self.machines._kept.values() if seen.running]

    def runs(self, id):
        return id in self.running()

    def reboot(self):
        """The power was cut: nothing runs, networks are gone; of machines more or less is left."""
        self.say("the host reboots")
        self.number += 1
        self.known_ended.clear()
        self.networks.specs.clear()
        self.networks.torn.clear()
        for id, seen in list(self.machines._kept.items()):
            match self.trouble.chance.randrange(3):
                case 0:
                    del self.machines._kept[id]
                case 1:
                    self.machines._kept[id] = InstanceSeen(id=id, boot=-1, running=False)
                case 2:
                    self.machines._kept[id] = msgspec.structs.replace(seen, running=False)

    def power_off(self, id, *, known):
        """A machine ends by itself; `known` if its row says already that this run runs."""
        seen = self.machines._kept[id]
        self.say(f"{id} powers off at boot {seen.boot}{', known to run' if known else ''}")
        self.machines._kept[id] = msgspec.structs.replace(seen, running=False)
        run = Run(id, seen.boot)
        self.ended.add(run)
        if known:
            self.known_ended.add(run)

    def standing_on_volume(self, id):
        return [one for one in self._standing() if self.specs[one].root_volume == id]

    def standing_on_network(self, id):
        return [one for one in self._standing() if self.specs[one].network == id]

    def _standing(self):
        return [id for id in self.running() if id in self.promised]


class Images(FakeImages):
    def __init__(self, host):
        super().__init__()
        self._host = host

    async def ensure(self, recipe, progress=None):
        await super().ensure(recipe, progress)
        _IMAGE_READY.set(self._host.tick())


class Machines(FakeMachines):
    def __init__(self, host):
        super().__init__()
        self._host = host

    def asked(self, spec):
        """Before anything else can happen: was it still wanted when the image was there?"""
        promised, ready = self._host.promised.get(spec.id), _IMAGE_READY.get()
        if promised is not None and promised.want != "running" and promised.want_since < ready:
            self._host.broken(
                f"{spec.id} is started, though its image came after it was to be {promised.want}"
            )

    def answered(self, spec):
        self._host.answered.add(Run(spec.id, spec.boot))

    async def ensure(self, spec):
        seen = self._kept.get(spec.id)
        if seen is not None and seen.running and seen.boot >= spec.boot:
            return
        self._need(spec)
        boot = seen.boot if seen is not None and self._host.trouble.chance.random() < 0.5 else -1
        self._kept[spec.id] = InstanceSeen(id=spec.id, boot=boot, running=False)
        await self._host.trouble.half_way(f"start {spec.id}")
        self._need(spec)
        await super().ensure(spec)
        self._started(spec)

    async def remove(self, id):
        if id in self._kept:
            await self.stop(id)
            await self._host.trouble.half_way(f"remove {id}")
        await super().remove(id)

    def _need(self, spec):
        """What its contract says it needs."""
        if spec.root_volume not in self._host.volumes.whole:
            raise DriverError(f"{spec.id}: {spec.root_volume} is not there yet")
        if not self._host.networks.carries(spec.network, spec.id):
            raise DriverError(f"{spec.id}: its network is not there yet")

    def _started(self, spec):
        host, run = self._host, Run(spec.id, spec.boot)
        host.say(f"{spec.id} runs, boot {spec.boot}")
        for other in host.running():
            if other != spec.id and host.specs[other].root_volume == spec.root_volume:
                host.broken(f"{spec.id} and {other} both stand on {spec.root_volume}")
        if run in host.known_ended:
            host.broken(f"{spec.id} ended by itself at boot {spec.boot} and was started again")
        for one in host.promised_interfaces.values():
            held = one.instance == spec.id and not one.leaving and one.from_boot <= spec.boot
            if held and not host.networks.carries(spec.network, spec.id, one.id):
                host.broken(f"{spec.id} runs at boot {spec.boot} without {one.id}")
        host.ran.add(run)
        host.specs[spec.id] = spec


class Volumes(FakeVolumes):
    def __init__(self, host):
        super().__init__()
        self._host = host
        self.whole = {}  # id: which making of it this is
        self._made = 0

    async def observe(self):
        return [VolumeSeen(id=id) for id in self._volumes]

    async def ensure(self, spec):
        await super().ensure(spec)
        if spec.id not in self.whole:
            await self._host.trouble.half_way(f"make {spec.id}")
            self._made += 1
            self.whole[spec.id] = self._made

    async def remove(self, id):
        for machine in self._host.standing_on_volume(id):
            self._host.broken(f"{id} is removed while {machine} runs on it")
        if self.whole.pop(id, None) is not None:
            await self._host.trouble.half_way(f"remove {id}")
        await super().remove(id)


class Networks(FakeNetworks):
    def __init__(self, host):
        super().__init__()
        self._host = host
        self.torn = set()  # half applied

    def carries(self, network, instance, interface=None):
        spec = self.specs.get(network)
        found = [one for one in spec.interfaces if one.instance == instance] if spec is not None else []
        return any(interface in (None, one.id) for one in found)

    def carries_at(self, row):
        """Whether this interface is carried as it is attached."""
        spec = self.specs.get(row.vpc_id)
        found = [one for one in spec.interfaces if one.id == row.id] if spec is not None else []
        return any(one.instance == (row.instance_id or None) for one in found)

    async def observe(self):
        seen = await super().observe()
        whole = [one for one in seen if one.id not in self.torn]
        return whole + [NetworkSeen(id=id, revision="") for id in sorted(self.torn)]

    async def ensure(self, spec):
        for machine in self._host.standing_on_network(spec.id):
            if not any(one.instance == machine and one.device == 0 for one in spec.interfaces):
                self._host.broken(f"{machine} runs while its first interface is taken out of {spec.id}")
        self.torn.add(spec.id)
        await self._host.trouble.half_way(f"apply {spec.id}")
        await super().ensure(spec)
        self.torn.discard(spec.id)

    async def remove(self, id):
        for machine in self._host.standing_on_network(id):
            self._host.broken(f"{id} is removed while {machine} runs in it")
        if id in self.specs or id in self.torn:
            self.torn.add(id)
            await self._host.trouble.half_way(f"remove {id}")
        await super().remove(id)
        self.torn.discard(id)
