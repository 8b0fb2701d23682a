"""Which class answers which operation: every service of the cloud, wired by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from cloudstead.app.operations import Operation, operations_of
from cloudstead.core.tools import Tools
from cloudstead.gateway import wire
from cloudstead.services.iam.operations import iam_parts
from cloudstead.services.sts.operations import Sts
from cloudstead.store import Store

SERVICES = ("ec2", "iam", "ssm", "sts")


@dataclass(frozen=True, kw_only=True)
class Means:
    """What the services are built with."""

    store: Store
    tools: Tools


def tables(means: Means) -> dict[str, dict[str, Operation]]:
    """Every service's operations, by botocore's name of the service and the operation's name."""
    return {
        "iam": _table("iam", *iam_parts(means.store, means.tools)),
        "sts": _table("sts", Sts(means.store, means.tools)),
    }


def modelled_operations(service: str) -> list[str]:
    """All operations AWS has for a service."""
    return wire.load(service).operation_names


def built_operations(service: str) -> Mapping[str, Operation]:
    """The ones that are built here."""
    return _built()[service]


@cache
def _built() -> dict[str, dict[str, Operation]]:
    return tables(Means(store=Store(None), tools=Tools()))


def _table(service: str, *parts: object) -> dict[str, Operation]:
    return operations_of(dict.fromkeys(modelled_operations(service)), *parts)
