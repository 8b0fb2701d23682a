"""Networks that carry nothing: for machines that are only simulated, and for tests of what lies above."""

import socket
from pathlib import Path
from typing import Literal

import msgspec

from cloudstead.core.errors import DriverError
from cloudstead.dataplane.network.driver import NetworkSeen, NetworkSpec, revision


class FakeNetworks:
    """A NetworkDriver in memory; with a folder, also across restarts."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        #: What was last applied, for tests to look at.
        self.specs: dict[str, NetworkSpec] = {}
        if folder is not None:
            for file in sorted(folder.glob("vpc-*.json")):
                spec = msgspec.json.decode(file.read_bytes(), type=NetworkSpec)
                self.specs[spec.id] = spec

    async def observe(self) -> list[NetworkSeen]:
        return [NetworkSeen(id=spec.id, revision=revision(spec)) for _, spec in sorted(self.specs.items())]

    async def ensure(self, spec: NetworkSpec) -> None:
        self._keep(spec)
        self.specs[spec.id] = spec

    async def remove(self, id: str) -> None:
        if self._folder is not None:
            (self._folder / f"{id}.json").unlink(missing_ok=True)
        self.specs.pop(id, None)

    async def teardown(self) -> None:
        for id in list(self.specs):
            await self.remove(id)

    def open_socket(
        self,
        id: str,
        kind: Literal["tcp", "udp"],
        address: str,  # noqa: ARG002 - the contract's
        port: int,  # noqa: ARG002
        *,
        listen: bool = True,
    ) -> socket.socket:
        """A socket on loopback, on any free port: there is no network for the address to be in."""
        if id not in self.specs:
            raise DriverError(f"{id}: no such network")
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        opened.bind(("127.0.0.1", 0))
        if kind == "tcp" and listen:
            opened.listen()
        opened.setblocking(False)
        return opened

    def _keep(self, spec: NetworkSpec) -> None:
        if self._folder is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{spec.id}.json.new"
        draft.write_bytes(msgspec.json.encode(spec))
        draft.replace(self._folder / f"{spec.id}.json")
