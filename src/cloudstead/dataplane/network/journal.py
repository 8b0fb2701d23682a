"""What was begun and what was finished, one file per network.

Written before anything is made and again when all of it is there, so that whatever a crash leaves behind is
named in a file. It speaks of one boot of the machine only: after a reboot nothing of it exists.
"""

from pathlib import Path

import msgspec

from cloudstead.dataplane.network.links import Placed


class Record(msgspec.Struct, frozen=True, kw_only=True):
    id: str  # vpc-…, or "edge"
    boot: str
    revision: str = ""  # of what was last made whole; "" while work is under way
    wiring: str = ""  # `wiring(spec)` of what was last wired whole; "" while that is under way
    transit: str = ""  # the router's own public-side address
    instances: tuple[str, ...] = ()  # whose namespaces may exist
    placed: dict[str, Placed] = {}  # interfaces known to be in their instance
    forwarding: str = ""  # of the edge: the host's ip_forward before it was changed


class Journal:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def fresh(self, id: str) -> Record:
        return Record(id=id, boot=self._boot)

    def read(self, id: str) -> Record | None:
        """The record, empty if it is of an earlier boot or was torn by a power cut; None if there is none."""
        try:
            found = msgspec.json.decode((self._folder / f"{id}.json").read_bytes(), type=Record)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            return self.fresh(id)
        if found.boot != self._boot:
            # Names of namespaces are kept: their files outlive a reboot, as empty ones.
            return msgspec.structs.replace(self.fresh(id), instances=found.instances)
        return found

    def write(self, record: Record) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{record.id}.json.new"
        draft.write_bytes(msgspec.json.encode(record))
        draft.replace(self._folder / f"{record.id}.json")

    def forget(self, id: str) -> None:
        (self._folder / f"{id}.json").unlink(missing_ok=True)

    def ids(self) -> list[str]:
        """Every network that has a record."""
        return sorted(file.stem for file in self._folder.glob("vpc-*.json"))
