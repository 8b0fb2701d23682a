"""The way to a Docker Engine, Docker's own or Podman's: one client, and its errors in our words.

Nothing but labels tells what in an engine is ours: an engine serves others too, and other clouds. The `docker`
package is imported at the first question, for most clouds never ask one.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

from cloudstead.core.errors import DriverError

T = TypeVar("T")

Kind = Literal["containers", "images", "networks", "volumes"]

CLOUD, INSTANCE, VOLUME = "dev.cloudstead.cloud", "dev.cloudstead.instance", "dev.cloudstead.volume"
IMAGE, ORIGIN, NETWORK = "dev.cloudstead.image", "dev.cloudstead.origin", "dev.cloudstead.network"

_TIMEOUT_S = 120


class Absent(DriverError):
    """The engine has no such thing."""


class Engine:
    """An engine behind a Unix socket, and what one cloud has in it. `cloud` is six hexadecimal digits."""

    def __init__(self, socket: str, cloud: str) -> None:
        self.cloud = cloud
        self._socket = socket
        self._client: Any = None

    @property
    def is_host(self) -> bool:
        """Whether containers have their networks on this very machine: not in a user's own, nor in a virtual one."""
        try:
            return sys.platform == "linux" and Path(self._socket).stat().st_uid == 0
        except OSError:
            return False

    def name(self, rest: str) -> str:
        """What a container, network or volume of ours is called."""
        return f"cloudstead-{self.cloud}-{rest}"

    def labels(self, **more: str) -> dict[str, str]:
        return {CLOUD: self.cloud, **{f"dev.cloudstead.{name}": value for name, value in more.items()}}

    async def find(self, kind: Kind, **labels: str) -> list[dict[str, Any]]:
        """Everything of ours of a kind that has these labels, running or not, as the engine lists it."""
        more: dict[str, Any] = {"all": True} if kind == "containers" else {}
        # By one label alone: asked for an image with two, Podman 4 finds none.
        filters = {"label": [f"{CLOUD}={self.cloud}"]}
        said = await self.ask(lambda c: getattr(c, kind)(filters=filters, **more))
        found: list[dict[str, Any]] = (said["Volumes"] or []) if kind == "volumes" else said
        wanted = self.labels(**labels).items()
        return [
            each for each in found if wanted <= (each.get("Labels") or {}).items() and not _is_scaffold(each)
        ]

    def close(self) -> None:
        """Let the connections go. Asked again, new ones are made."""
        if self._client is not None:
            self._client.close()
            self._client = None

    async def ask(self, question: Callable[[Any], T]) -> T:
        """Do something with the client, in a thread. Raises Absent for what is not there, DriverError otherwise."""
        return await asyncio.to_thread(self._ask, question)

    def _ask(self, question: Callable[[Any], T]) -> T:
        try:
            import docker.errors  # noqa: PLC0415 - see above
            import requests  # noqa: PLC0415
        except ImportError as e:
            raise DriverError(
                "A Docker engine is spoken to with a package that is not here. Run: pip install 'cloudstead[docker]'"
            ) from e
        if not Path(self._socket).exists():
            raise DriverError(f"There is no Docker engine at {self._socket}")
        try:
            if self._client is None:
                self._client = docker.APIClient(
                    base_url=f"unix://{self._socket}", version="auto", timeout=_TIMEOUT_S
                )
            return question(self._client)
        except docker.errors.NotFound as e:
            raise Absent(_said(e)) from e
        except docker.errors.APIError as e:
            raise DriverError(f"Docker engine: {_said(e)}") from e
        except (docker.errors.DockerException, requests.RequestException, OSError) as e:
            raise DriverError(f"The Docker engine at {self._socket} does not answer: {e}") from e


def _is_scaffold(found: dict[str, Any]) -> bool:
    """Whether it is what a build left on its way: an image that has the labels and no name."""
    return found.get("RepoTags", ["named"]) in (None, [], ["<none>:<none>"])


def _said(error: Any) -> str:
    return str(error.explanation or error).strip().rstrip(os.linesep)
