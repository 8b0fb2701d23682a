"""An element of a long list whose wire form may be remembered.

A service that lists 1000 instances hands over 1000 of these; only those not seen before are evaluated and
written, the others cost a look-up.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cached:
    """Stands for `value` in a list of a result.

    The key must name everything the value is made from: the row's id *and its version*, those of the rows it
    shows besides, and the account if accounts see it differently. Two values with one key in the same list
    shape are taken to be the same.
    """

    key: Hashable
    value: Mapping[str, object] | Callable[[], Mapping[str, object]]

    def evaluate(self) -> Mapping[str, object]:
        return self.value() if callable(self.value) else self.value
