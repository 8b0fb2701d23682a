"""What the command line needs of the rest of Cloudstead. `app` fulfils it; nothing here imports the rest.

Every method may import what it needs when it is called: `status` and `env` must not pay for what `run` loads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cloudstead.core.settings import Settings

#: Told a sentence for people as long work goes on.
Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ImageShown:
    """A line of `image list`."""

    name: str
    login: str
    #: Whether it is in the image store; what is not is built at first use.
    built: bool
    size_bytes: int = 0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ObjectsChecked:
    """What `fsck` looked at, and a line for each thing that is not as it should be."""

    versions: int
    parts: int
    size_bytes: int
    damage: Sequence[str] = ()


class Commands(Protocol):
    """Failures that a person can mend are raised as `cli.problems.Problem`."""

    def root_key(self, settings: Settings) -> tuple[str, str]:
        """The root user's access key as (id, secret); made, with the data folder, if there is none.

        The process forks afterwards, so nothing may be left open: no database, no thread.
        """
        ...

    def run(self, settings: Settings, processes: Callable[[dict[str, int]], None]) -> int:
        """Be the cloud until SIGTERM or SIGINT; return the exit status.

        Called with the data folder's lock held and logging set up. `processes` is to be told the pids by name
        whenever they change.
        """
        ...

    def end_machines(self, settings: Settings, say: Say) -> None:
        """Take everything out of the world that the cloud made: machines, networks, mounts. Rows and disks stay.

        Called with the data folder's lock held, so no process of the cloud runs. Safe to repeat.
        """
        ...

    def authority(self, settings: Settings) -> str:
        """The certificate, in PEM, of the authority that signs the endpoint's; made if there is none."""
        ...

    def ssh_at(self, settings: Settings, instance: str) -> tuple[str, int] | None:
        """Address and port where this machine reaches an instance (i-…) by ssh, if not at its own address."""
        ...

    def check_objects(self, settings: Settings, *, read_all: bool) -> ObjectsChecked:
        """Compare the objects' index with their files; `read_all` reads every byte too. The cloud may run meanwhile."""
        ...

    def images(self, settings: Settings) -> Sequence[ImageShown]:
        """Every image that can be launched."""
        ...

    def build_image(self, settings: Settings, name: str, say: Say) -> None:
        """Build an image now rather than at first use. Safe to repeat."""
        ...

    def import_image(self, settings: Settings, name: str, source: Path | str, login: str, say: Say) -> None:
        """Make an image of a root file system tarball, or of an OCI image (`docker://…`, `oci:…`)."""
        ...
