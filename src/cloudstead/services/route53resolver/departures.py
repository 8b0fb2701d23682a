"""What was said of a VPC goes with it: associations and settings have nothing in the world, only a VPC to be of."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from cloudstead.control.steps import Controller, Forget, Step
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.route53resolver.rows import (
    GroupAssociation,
    QueryLogAssociation,
    RuleAssociation,
    VpcSettings,
)
from cloudstead.store import Row

V = TypeVar("V", bound=Row)


class Nothing:
    """What is seen of them in the world."""

    id: str


class Departures(Generic[V]):
    """One kind of row, forgotten when its VPC is gone."""

    def __init__(self, kind: type[V], vpc_of: Callable[[V], str], vpcs: ServiceInterfaces) -> None:
        self.kind = kind
        self._vpc_of = vpc_of
        self.wakes_on: tuple[type[Row], ...] = (vpcs.vpc_kind,)
        self._vpcs = vpcs

    async def observe(self) -> Iterable[Nothing]:
        return ()

    def plan(self, row: V, seen: Nothing | None) -> Step | None:
        del seen
        return None if self._vpcs.exists(self._vpc_of(row)) else Forget()

    async def perform(self, row: V, step: Step) -> None:
        raise AssertionError(f"{row.id}: {step}")

    async def sweep(self, id: str) -> None:
        raise AssertionError(f"{id}: nothing is ever seen")


def departures(vpcs: ServiceInterfaces) -> list[Controller[Any, Any]]:
    """One for each kind that is of a VPC."""
    return [
        Departures(RuleAssociation, lambda row: row.vpc_id, vpcs),
        Departures(GroupAssociation, lambda row: row.vpc_id, vpcs),
        Departures(QueryLogAssociation, lambda row: row.vpc_id, vpcs),
        Departures(VpcSettings, lambda row: row.id, vpcs),
    ]
