"""The data directory: where everything a cloud knows and makes lies, and the facts that are chosen once.

`cloud.json` is written whole at the first start and never changed: it names the cloud and its account.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cloudstead.cli.problems import Problem


@dataclass(frozen=True)
class DataDirectory:
    """Paths under one root, and the identity of the cloud that lives there."""

    root: Path
    #: Six hexadecimal digits that mark what this cloud makes on the machine.
    cloud: str
    #: The 12-digit account id of the root user.
    account: str

    @property
    def database(self) -> Path:
        return self.root / "state.sqlite"

    @property
    def objects(self) -> Path:
        return self.root / "objects"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def tls(self) -> Path:
        return self.root / "tls"

    @property
    def witness(self) -> Path:
        return self.root / "witness"

    @property
    def lock(self) -> Path:
        return self.run / "supervisor.lock"

    def secret(self, name: str) -> bytes:
        """32 random bytes made at first use, kept in a file only its owner can read."""
        folder = self.root / "secrets"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{name}.key"
        if not path.exists():
            _write_once(path, secrets.token_bytes(32))
        return path.read_bytes()


def open_data(root: Path) -> DataDirectory:
    """The data directory at `root`, made if it is not there. Safe for several processes at once."""
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = root / "cloud.json"
    if not path.exists():
        chosen = {"cloud": secrets.token_hex(3), "account": str(secrets.randbelow(9 * 10**11) + 10**11)}
        _write_once(path, json.dumps(chosen).encode())
    try:
        known = json.loads(path.read_bytes())
        data = DataDirectory(root=root, cloud=known["cloud"], account=known["account"])
    except (ValueError, KeyError, TypeError):
        raise Problem(f"{path} is damaged. It says who this cloud is: put back a copy of it.") from None
    for folder in (data.run, data.logs):
        folder.mkdir(exist_ok=True)
    return data


def _write_once(path: Path, content: bytes) -> None:
    """Create a private file with this content unless somebody else did first. It is never seen half written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
