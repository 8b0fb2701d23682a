"""Makes networks match VPCs, and NAT gateways tell how they are.

A network exists only while something works in it, so a VPC that is merely there costs nothing. An interface is
`placed` once the network was applied whole with it: a machine starts no sooner. That is written in the same step, so
nobody waits for another look at the world.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cloudstead.control.steps import Ensure, Forget, Record, Remove, Step
from cloudstead.dataplane.network.driver import NetworkDriver, NetworkSeen, revision
from cloudstead.services.ec2 import client_tokens, interfaces
from cloudstead.services.ec2.network_compile import compiled
from cloudstead.services.ec2.network_rows import (
    NETWORK_KINDS,
    InternetGateway,
    NatGateway,
    NetworkInterface,
    Vpc,
)
from cloudstead.services.ec2.rows import Resources
from cloudstead.store import Row

log = logging.getLogger(__name__)

_UNSURE = "unsure"  # no attachment has this id


@dataclass(frozen=True)
class Settle(Step):
    """Write which interfaces the network carries: for each, by its id, the attachment it is carried for."""

    carried: Mapping[str, str] = field(default_factory=dict)


class Networks:
    """One VPC that needs it, one network.

    wanted   seen           step
    no       something      Remove
    no       nothing        Forget, if the VPC is deleted
    yes      nothing        Settle that nothing is carried, then Ensure
    yes      half of one    Settle that nothing is placed, and nothing has left, then Ensure
    yes      another one    Ensure, and settle what it carries
    yes      this one       Settle what it carries, if a crash came before that
    """

    kind = Vpc
    wakes_on: tuple[type[Row], ...] = NETWORK_KINDS

    def __init__(self, resources: Resources, networks: NetworkDriver) -> None:
        self._resources = resources
        self._store = resources.store
        self._networks = networks

    async def observe(self) -> Iterable[NetworkSeen]:
        return await self._networks.observe()

    def plan(self, row: Vpc, seen: NetworkSeen | None) -> Step | None:
        with self._store.reading():  # what is carried is what is wanted, of one moment
            return self._plan(row, seen)

    def _plan(self, row: Vpc, seen: NetworkSeen | None) -> Step | None:
        wanted = compiled(self._store, row)
        if wanted is None:
            if seen is not None:
                return Remove()
            return self._settle(row, {}) or (Forget() if row.want == "absent" else None)
        if seen is None or not seen.revision:
            return self._settle(row, {} if seen is None else self._unsure(row)) or Ensure()
        if seen.revision != revision(wanted):
            return Ensure()
        return self._settle(row, self._carried(row))

    async def perform(self, row: Vpc, step: Step) -> None:
        match step:
            case Ensure():
                await self._ensure(row)
            case Remove():
                await self._remove(row)
            case Settle(carried):
                self._write(row, carried)
            case _:
                raise AssertionError(step)

    async def sweep(self, id: str) -> None:
        await self._networks.remove(id)

    # --- steps

    async def _ensure(self, row: Vpc) -> None:
        """Apply the rows as they are by now, not as they were when this was planned."""
        with self._store.reading():
            current = self._store.get(Vpc, row.id)
            wanted = compiled(self._store, current) if current is not None else None
            carried = self._carried(row)
        if wanted is None:
            return
        await self._networks.ensure(wanted)
        self._write(row, carried)
        log.info("%s: carries %d interfaces", row.id, len(carried))

    async def _remove(self, row: Vpc) -> None:
        if compiled(self._store, row) is not None:
            return
        await self._networks.remove(row.id)
        self._write(row, {})
        log.info("%s: nothing left to carry", row.id)

    def _write(self, row: Vpc, carried: Mapping[str, str]) -> None:
        """Settle each interface; one that changed since `carried` was read is not yet carried as it is now."""
        with self._store.transaction():
            for interface in self._store.rows(NetworkInterface, vpc_id=row.id):
                if _gone(interface, carried):
                    interfaces.let_go(self._resources, interface)
                else:
                    self._store.update(interface, placed=_placed(interface, carried))

    # --- what is carried

    def _carried(self, row: Vpc) -> dict[str, str]:
        """What a network that was made from the rows as they are carries."""
        found = self._store.rows(NetworkInterface, vpc_id=row.id)
        return {each.id: _attachment(each) for each in found if each.working}

    def _unsure(self, row: Vpc) -> dict[str, str]:
        """What a network carries that was left half applied: whatever it is, not for an attachment of now."""
        return {each.id: _UNSURE for each in self._store.rows(NetworkInterface, vpc_id=row.id)}

    def _settle(self, row: Vpc, carried: Mapping[str, str]) -> Settle | None:
        """The step that writes this, if it is not written."""
        for interface in self._store.rows(NetworkInterface, vpc_id=row.id):
            if _gone(interface, carried) or interface.placed != _placed(interface, carried):
                return Settle(carried)
        return None


def _attachment(interface: NetworkInterface) -> str:
    return interface.attachment.id if interface.attachment is not None else ""


def _placed(interface: NetworkInterface, carried: Mapping[str, str]) -> bool:
    return interface.working and carried.get(interface.id) == _attachment(interface)


def _gone(interface: NetworkInterface, carried: Mapping[str, str]) -> bool:
    """Whether it was to leave its instance, and has."""
    attachment = interface.attachment
    return attachment is not None and attachment.leaving and interface.id not in carried


@dataclass(frozen=True)
class Release(Step):
    """Let go of a NAT gateway's interface and address: it ends in this state."""

    failure_code: str = ""
    failure: str = ""


class NatGateways:
    """NAT gateways are made by their networks; here it is only written what became of them."""

    kind = NatGateway
    wakes_on: tuple[type[Row], ...] = (NetworkInterface, InternetGateway)

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._store = resources.store
        self._visible = timedelta(seconds=resources.settings.terminated_visible_s)

    async def observe(self) -> Iterable[NetworkSeen]:
        return ()

    def plan(self, row: NatGateway, seen: NetworkSeen | None) -> Step | None:  # noqa: ARG002 - the contract's
        match row.want, row.state:
            case "absent", "pending" | "available":
                return Release()
            case "absent", "failed":
                return Record({"state": "deleted"})
            case "present", "pending":
                return self._towards_available(row)
            case _, "failed" | "deleted":
                assert row.deleted_at is not None, row.id
                over = self._resources.tools.clock.now() - row.deleted_at >= self._visible
                return Forget() if over else None
        return None

    async def perform(self, row: NatGateway, step: Step) -> None:
        assert isinstance(step, Release), step
        with self._store.transaction():
            current = self._store.get(NatGateway, row.id)
            if current is None:
                return
            interface = self._store.get(NetworkInterface, row.interface_id)
            if interface is not None:
                interfaces.delete(self._resources, interface)
            client_tokens.forget(self._resources, current)
            end = step if current.want == "present" else Release()  # what is deleted does not fail any more
            self._store.update(
                current,
                state="failed" if end.failure_code else "deleted",
                failure_code=end.failure_code,
                failure=end.failure,
                deleted_at=self._resources.tools.clock.now(),
            )
        log.info("%s: %s", row.id, end.failure or "deleted")

    async def sweep(self, id: str) -> None:
        raise AssertionError(f"{id}: a NAT gateway is never seen by itself")

    def _towards_available(self, row: NatGateway) -> Step | None:
        if row.connectivity == "public":
            if not self._store.rows(InternetGateway, vpc_id=row.vpc_id):
                return Release(
                    "Gateway.NotAttached", f"Network {row.vpc_id} has no Internet gateway attached"
                )
            if not row.association_id:
                return Release(
                    "Resource.AlreadyAssociated",
                    f"Elastic IP address [{row.allocation_id}] is already associated",
                )
        interface = self._store.get(NetworkInterface, row.interface_id)
        return Record({"state": "available"}) if interface is not None and interface.placed else None
