"""Endpoints become operational: their interfaces are carried, and who comes in finds somebody who listens.

An outbound endpoint has nothing of its own in the world: who asks through it opens a socket for each question. So it
is operational as soon as its network carries its interfaces.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from cloudstead.control.steps import Ensure, Forget, Remove, Step
from cloudstead.dataplane.dns.driver import EndpointsDriver, EndpointSeen
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.route53resolver.rows import Endpoint, EndpointAddress
from cloudstead.store import Row, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Release(Step):
    """Take away the interfaces that nobody listens on any more."""


@dataclass(frozen=True)
class Settle(Step):
    """Write that it works."""


class Endpoints:
    """One endpoint, and whoever listens at its addresses.

    wanted   seen                    step
    no       it listens              Remove
    no       nothing                 Release its interfaces, then Forget
    yes      not what is wanted      Ensure, once the network carries all of its interfaces
    yes      what is wanted          Release what is to leave, then Settle
    """

    kind = Endpoint

    def __init__(self, store: Store, vpcs: ServiceInterfaces, driver: EndpointsDriver) -> None:
        self._store = store
        self._vpcs = vpcs
        self._driver = driver
        self.wakes_on: tuple[type[Row], ...] = (EndpointAddress, vpcs.kind)

    async def observe(self) -> Iterable[EndpointSeen]:
        return await self._driver.observe()

    def plan(self, row: Endpoint, seen: EndpointSeen | None) -> Step | None:
        with self._store.reading():
            rows = self._store.rows(EndpointAddress, endpoint_id=row.id)
            if row.want == "absent":
                if seen is not None:
                    return Remove()
                return Release() if rows else Forget()
            if not all(self._vpcs.placed(each.interface_id) for each in rows if each.want == "present"):
                return None
            if self._listening(row) != (seen.addresses if seen is not None else ()):
                return Ensure()
            if any(each.want == "absent" for each in rows):
                return Release()
            settled = row.state == "OPERATIONAL" and all(each.attached for each in rows)
            return None if settled else Settle()

    async def perform(self, row: Endpoint, step: Step) -> None:
        match step:
            case Ensure():
                await self._driver.ensure(row.id, row.vpc_id, self._listening(row))
                log.info("%s: listens in %s", row.id, row.vpc_id)
            case Remove():
                await self._driver.remove(row.id)
            case Release():
                self._release(row)
            case Settle():
                self._settle(row)
            case _:
                raise AssertionError(step)

    async def sweep(self, id: str) -> None:
        await self._driver.remove(id)

    def _listening(self, row: Endpoint) -> tuple[str, ...]:
        """The addresses where questions are to come in."""
        if row.direction == "OUTBOUND":
            return ()
        rows = self._store.rows(EndpointAddress, endpoint_id=row.id, want="present")
        return tuple(sorted(address for each in rows for address in (each.ip, each.ipv6) if address))

    def _release(self, row: Endpoint) -> None:
        with self._store.transaction():
            current = self._store.get(Endpoint, row.id)
            for each in self._store.rows(EndpointAddress, endpoint_id=row.id):
                if each.want == "absent" or current is None or current.want == "absent":
                    self._vpcs.delete(each.interface_id)
                    self._store.delete(each)

    def _settle(self, row: Endpoint) -> None:
        with self._store.transaction():
            current = self._store.get(Endpoint, row.id)
            if current is None or current.version != row.version:
                return
            for each in self._store.rows(EndpointAddress, endpoint_id=row.id):
                if self._vpcs.placed(each.interface_id):
                    self._store.update(each, attached=True)
            self._store.update(current, state="OPERATIONAL")
        log.info("%s: operational", row.id)
