"""From plain classes to the table the gateway dispatches by: no registration, no decorators."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from cloudstead.core.caller import Caller

Result = Mapping[str, Any] | None
Operation = Callable[[Caller, dict[str, Any]], Result]
#: One that may need time: it answers, or is to be awaited.
AnyOperation = Callable[[Caller, dict[str, Any]], Result | Coroutine[Any, Any, Result]]

_WORD = re.compile(r"(.)([A-Z][a-z]+)")
_ENDS_IN_PLURAL = re.compile(r"[A-Z]{2,}s$")
_CASED = re.compile(r"([a-z0-9])([A-Z])")


def snake_case(operation: str) -> str:
    """An operation's name as boto3 spells its method: `RunInstances` -> `run_instances`, `AssociateVPCs` -> `associate_vpcs`."""
    operation = operation.replace("OTel", "Otel")
    plural = _ENDS_IN_PLURAL.search(operation)
    if plural:
        operation = operation[: plural.start()] + "_" + plural.group().lower()
    return _CASED.sub(r"\1_\2", _WORD.sub(r"\1_\2", operation)).lower().replace("__", "_")


def operations_of(names: Mapping[str, object], *parts: object) -> dict[str, Operation]:
    """The table of one service: every public method of its parts, under its operation's name.

    `names` are the operations of the service's model. A public method that is no operation, and an operation that two
    parts claim, are mistakes.
    """
    by_method = {snake_case(name): name for name in names}
    table: dict[str, Operation] = {}
    for part in parts:
        for method in dir(part):
            if method.startswith("_") or not callable(found := getattr(part, method)):
                continue
            assert method in by_method, f"{type(part).__name__}.{method} is no operation of the service"
            name = by_method[method]
            assert name not in table, f"{name} is built twice"
            table[name] = found
    return table
