"""What callers were promised, kept beside the rows and never read from them, and held against them at every commit.

An answer that was given is a promise: what it named is there until somebody takes it away, and is as it was said to be.
All of it is checked whenever anything was written, by whomever.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from tests.sim.host import Run
from tests.sim.network_promises import NetworkPromises

from cloudstead.services.ec2.instance_rows import Instance, Volume
from cloudstead.services.ec2.network_rows import NetworkInterface

#: From which state callers may see an instance go to which.
ARROWS = {
    "pending": {"running", "shutting-down"},
    "running": {"stopping", "shutting-down"},
    "stopping": {"stopped", "shutting-down"},
    "stopped": {"pending", "shutting-down"},
    "shutting-down": {"terminated"},
    "terminated": set(),
}
SHOWN = {
    "running": {"pending", "running"},
    "stopped": {"stopping", "stopped"},
    "terminated": {"shutting-down", "terminated"},
}
VCPUS = {"t3.nano": 2, "m5.large": 2, "m5.xlarge": 4}


@dataclass
class PromisedInstance:
    id: str
    volume: str
    fields: dict  # of the row, as callers set them
    keeps_volume: bool = False
    alone: bool = True  # it never had a second interface
    making: int = 0  # which making of its root volume it has, 0 as long as it has none
    want: str = "running"
    want_since: int = 0  # by the host's tick
    boot: int = 1
    shown: str = "pending"
    terminated_at: object = None

    @property
    def gone(self):
        return self.shown == "terminated"


@dataclass
class Promises:
    store: object
    host: object
    clock: object
    settings: object
    broken: object  # told of every promise that is broken
    say: object
    instances: dict = field(default_factory=dict)
    volumes: set = field(default_factory=set)  # that outlived their instance
    tokens: dict = field(default_factory=dict)  # client token: (request, ids)
    network: NetworkPromises = field(init=False)

    def __post_init__(self):
        self.network = NetworkPromises(
            self.store, self.host, self.clock, self.settings, self.broken, self.say
        )

    def forget_all(self):
        self.network.forget_all()
        for known in (self.instances, self.volumes, self.tokens):
            known.clear()

    def check(self):
        with self.store.reading():
            for promised in list(self.instances.values()):
                self._check_instance(promised)
            for id in self.volumes:
                volume = self.store.get(Volume, id)
                if volume is None or volume.want != "present":
                    self.broken(f"{id} is gone, though nobody deleted it")
            self._check_quota()
            self.network.check(self.instances)

    # --- instances

    def _check_instance(self, promised):
        row = self.store.get(Instance, promised.id)
        if row is None:
            self._check_forgotten(promised)
            return
        self._check_end(promised, row)
        shown = row.shown_state
        if shown not in SHOWN[promised.want]:
            self.broken(f"{row.id} is {shown}, though it was promised to be {promised.want}")
        if shown != promised.shown and shown not in ARROWS[promised.shown]:
            self.broken(f"{row.id} went from {promised.shown} to {shown}")
        if shown != promised.shown:
            self.say(f"  {row.id} {promised.shown} -> {shown}")
            if shown == "terminated" and promised.keeps_volume:
                self.volumes.add(promised.volume)
        promised.shown, promised.terminated_at = shown, row.terminated_at
        for name, value in (
            promised.fields | {"boot": promised.boot, "root_volume": promised.volume}
        ).items():
            if getattr(row, name) != value:
                self.broken(f"{row.id} has {name} {getattr(row, name)!r}, though {value!r} was acknowledged")
        self._check_machine(row, shown)
        self._check_bytes(promised)
        if shown != "terminated":
            self._check_parts(row)

    def _check_forgotten(self, promised):
        visible = timedelta(seconds=self.settings.terminated_visible_s)
        if not promised.gone:
            self.broken(f"{promised.id} is gone, though it was {promised.shown}")
        elif self.clock.latest - promised.terminated_at < visible:
            self.broken(f"{promised.id} was terminated and is forgotten too soon")
        del self.instances[promised.id]

    def _check_end(self, promised, row):
        """A machine that shut itself down takes the instance along, once it was noticed."""
        if row.ended_boot != row.boot or promised.want != "running":
            return
        if Run(row.id, row.boot) not in self.host.ended:
            self.broken(f"{row.id} is said to have ended by itself at boot {row.boot}, and did not")
        stops = promised.fields["shutdown_behavior"] == "stop"
        promised.want, promised.want_since = "stopped" if stops else "terminated", self.host.tick()

    def _check_machine(self, row, shown):
        if row.state == "running" and Run(row.id, row.started_boot) not in self.host.ran:
            self.broken(f"{row.id} is said to run at boot {row.started_boot}, and never did")
        if shown in ("stopped", "terminated") and self.host.runs(row.id):
            self.broken(f"{row.id} is {shown}, and its machine runs")
        if shown == "terminated" and row.id in self.host.machines._kept:
            self.broken(f"{row.id} is terminated, and something of its machine is left")

    def _check_bytes(self, promised):
        making = self.host.volumes.whole.get(promised.volume, 0)
        if promised.making not in (0, making) and not promised.gone:
            self.broken(f"{promised.volume} of {promised.id} has lost what was on it")
        promised.making = making

    def _check_parts(self, row):
        volume = self.store.get(Volume, row.root_volume)
        if volume is None or volume.want != "present" or volume.instance_id != row.id:
            self.broken(f"{row.id} has lost its root volume")
        interfaces = self.store.rows(NetworkInterface, instance_id=row.id)
        if not any(one.attachment.device_index == 0 for one in interfaces):
            self.broken(f"{row.id} has lost its first interface")
        if row.shown_state in ("stopping", "stopped"):
            for one in interfaces:
                if any(each.public and each.public.owner == "amazon" for each in one.addresses):
                    self.broken(f"{row.id} is {row.shown_state} and has a public address")

    def _check_quota(self):
        used = sum(VCPUS[each.fields["type"]] for each in self.instances.values() if each.want == "running")
        if used > self.settings.vcpus_max:
            self.broken(f"{used} vCPUs run, and {self.settings.vcpus_max} are allowed")
