"""Networks where there is no way to make any: what is asked for waits, and says why."""

import socket
from typing import Literal

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.network.driver import NetworkSeen, NetworkSpec


class MissingNetworks:
    """A NetworkDriver that says no, always with the same reason."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def observe(self) -> list[NetworkSeen]:
        return []

    async def ensure(self, spec: NetworkSpec) -> None:
        raise DriverError(f"{spec.id}: {self._why}")

    async def remove(self, id: str) -> None:
        """There is nothing to remove."""

    async def teardown(self) -> None:
        """There is nothing to remove."""

    def open_socket(
        self,
        id: str,
        kind: Literal["tcp", "udp"],  # noqa: ARG002 - the contract's
        address: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        *,
        listen: bool = True,  # noqa: ARG002
    ) -> socket.socket:
        raise DriverError(f"{id}: {self._why}")
