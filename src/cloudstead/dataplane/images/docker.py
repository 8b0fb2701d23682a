"""Images in a Docker engine.

As root they come from the image store, so both kinds of machines start from the very same files. Without root no
root file system can be made here, so the engine builds it: from a public base image, Debian's packages, and what
every guest gets.
"""

import asyncio
import contextlib
import io
import json
import re
import tarfile
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from cloudstead.core.errors import DriverError
from cloudstead.dataplane import host
from cloudstead.dataplane.engine import IMAGE, ORIGIN, Absent, Engine
from cloudstead.dataplane.images import debian, guest
from cloudstead.dataplane.images.driver import ImageSeen, Progress, Recipe, origin
from cloudstead.dataplane.images.store import Images

_PACK_TIMEOUT_S = 600.0
_BUSYBOX = "docker.io/library/busybox:stable"
_STEP = re.compile(r"(?i)(?:\[\d+/\d+\] )?step \d+/\d+ ?: (.*)")

_DOCKERFILE = """\
FROM docker.io/library/debian:{suite}-slim AS parts
RUN apt-get update && apt-get install -y --no-install-recommends busybox-static dropbear-bin
COPY guest/gather /gather
RUN ["sh", "/gather"]
FROM {base}
{install}
COPY --from=parts /parts /usr/lib/cloudstead
COPY guest /usr/lib/cloudstead
RUN ["/usr/lib/cloudstead/busybox", "sh", "/usr/lib/cloudstead/furnish", "{login}"]
"""
_INSTALL = (
    "RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends {packages} "
    "&& rm -rf /var/lib/apt/lists/*"
)


class DockerImages:
    """The ImagesDriver of a Docker engine; `store` makes root file systems, None where nobody may."""

    def __init__(self, engine: Engine, store: Images | None) -> None:
        self._engine = engine
        self._store = store
        self._locks: dict[str, asyncio.Lock] = {}

    async def observe(self) -> list[ImageSeen]:
        found = await self._engine.find("images")
        seen = (
            ImageSeen(
                name=each["Labels"][IMAGE], size_bytes=each["Size"], origin=each["Labels"].get(ORIGIN, "")
            )
            for each in found
            if IMAGE in each["Labels"]
        )
        return sorted(seen, key=lambda one: one.name)

    async def ensure(self, recipe: Recipe, progress: Progress | None = None) -> None:
        say = progress or (lambda _: None)
        async with self._alone(recipe.name):
            if await self._known(recipe.name) is not None:
                return
            if self._store is not None:
                await self._store.ensure(recipe, progress)
                await self._bring(recipe.name, self._store.root(recipe.name), "")
                return
            match recipe.source:
                case "tiny":
                    await self._build(recipe, _BUSYBOX, say)
                case "debian":
                    say(f"Building Debian {recipe.suite} in the engine: a minute or two, once")
                    await self._build(recipe, f"docker.io/library/debian:{recipe.suite}-slim", say)
                case "imported":
                    raise DriverError(
                        f"the image {recipe.name} was imported once and is gone: import it again"
                    )

    async def import_archive(
        self, recipe: Recipe, source: Path | str, progress: Progress | None = None
    ) -> None:
        say = progress or (lambda _: None)
        async with self._alone(recipe.name):
            known = await self._known(recipe.name)
            if known is not None and known.origin != origin(source):
                raise DriverError(f"there is another image {recipe.name} already: choose another name")
            if known is not None:
                return
            if self._store is not None:
                await self._store.import_archive(recipe, source, progress)
                await self._bring(recipe.name, self._store.root(recipe.name), origin(source))
            else:
                await self._build_on(recipe, source, say)

    async def remove(self, name: str) -> None:
        if await self._known(name) is not None:
            await self._drop(self._repository(name))
        if self._store is not None:
            await self._store.remove(name)

    # --- inside

    @contextlib.asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[None]:
        async with self._locks.setdefault(name, asyncio.Lock()):
            try:
                yield
            except OSError as e:
                raise DriverError(f"image {name}: {e}") from e

    async def _known(self, name: str) -> ImageSeen | None:
        return next((seen for seen in await self.observe() if seen.name == name), None)

    async def _bring(self, name: str, root: Path, origin: str) -> None:
        """Hand a root file system over to the engine."""
        labels = self._engine.labels(image=name, origin=origin)
        with tempfile.TemporaryDirectory(prefix="cloudstead-") as folder:
            archive = Path(folder, "root.tar")
            command: list[str | Path] = [
                "tar",
                "--create",
                "--numeric-owner",
                "--file",
                archive,
                "--directory",
                root,
                ".",
            ]
            await host.run(command, timeout_s=_PACK_TIMEOUT_S)
            await self._engine.ask(lambda c: _import(c, archive, self._repository(name), labels))

    async def _build_on(self, recipe: Recipe, source: Path | str, say: Progress) -> None:
        """Make a guest of something imported."""
        say(f"Fetching {source}")
        if isinstance(source, str):
            base = _public(source)
            await self._engine.ask(lambda c: _pull(c, base))
            await self._build(recipe, base, say, source)
            return
        ours = self._repository(f"base-{recipe.name}")
        await self._engine.ask(lambda c: _import(c, source, ours, self._engine.labels()))
        await self._build(recipe, ours, say, origin(source))
        await self._drop(ours)

    async def _build(self, recipe: Recipe, base: str, say: Progress, origin: str = "") -> None:
        install = _INSTALL.format(packages=" ".join(debian.PACKAGES)) if recipe.source == "debian" else ""
        dockerfile = _DOCKERFILE.format(base=base, suite=recipe.suite, install=install, login=recipe.login)
        context = _context(dockerfile, recipe)
        labels = self._engine.labels(image=recipe.name, origin=origin)

        def build(client: Any) -> None:
            for said in client.build(
                fileobj=context,
                custom_context=True,
                tag=self._repository(recipe.name),
                labels=labels,
                rm=True,
                forcerm=True,
                decode=True,
            ):
                _hear(said, say)

        await self._engine.ask(build)

    async def _drop(self, image: str) -> None:
        with contextlib.suppress(Absent):
            await self._engine.ask(lambda c: c.remove_image(image))

    def _repository(self, name: str) -> str:
        # No tag of our own: Podman's import forgets it.
        return f"cloudstead-{self._engine.cloud}/{name}"


def _public(reference: str) -> str:
    """The name of an image in a registry."""
    if not reference.startswith("docker://"):
        raise DriverError(
            f"{reference}: an engine takes docker:// references and tarballs; for others import as root"
        )
    return reference.removeprefix("docker://")


def _context(dockerfile: str, recipe: Recipe) -> io.BytesIO:
    """What the engine builds from: the Dockerfile and what `furnish` needs."""
    released = "".join(f'{name}="{value}"\n' for name, value in recipe.os_release.items())
    files = {
        "Dockerfile": dockerfile,
        **{f"guest/{name}": guest.text(name) for name in ("init", "own", "furnish", "gather")},
        "guest/power": guest.POWER,
        "guest/motd": guest.MOTD.format(name=recipe.name),
        "guest/os-release": released,
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in files.items():
            file = tarfile.TarInfo(name)
            file.size, file.mode = len(text.encode()), 0o644
            archive.addfile(file, io.BytesIO(text.encode()))
    packed.seek(0)
    return packed


def _import(client: Any, archive: Path, repository: str, labels: dict[str, str]) -> None:
    changes = [f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()]
    with archive.open("rb") as data:
        for line in client.import_image_from_data(data, repository=repository, changes=changes).splitlines():
            _hear(json.loads(line) if line else {}, lambda _: None)


def _pull(client: Any, reference: str) -> None:
    for said in client.pull(reference, stream=True, decode=True):
        _hear(said, lambda _: None)


def _hear(said: dict[str, Any], say: Progress) -> None:
    """An engine answers 200 and tells of a failure in the middle of what it says."""
    if "error" in said:
        raise DriverError(f"Docker engine: {said['error']}")
    step = _STEP.match(said.get("stream", ""))
    if step:
        say(step[1].strip())
