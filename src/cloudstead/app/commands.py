"""What the command line asks of the rest. Each method imports what it needs: `status` must not pay for what `run` loads."""

import asyncio
import os
import sqlite3
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cloudstead.app.state import DataDirectory, open_data
from cloudstead.cli.commands import ImageShown, ObjectsChecked, Say
from cloudstead.cli.problems import Problem
from cloudstead.cli.terminal import program
from cloudstead.core.settings import Settings

if TYPE_CHECKING:
    from cloudstead.dataplane.images.driver import ImagesDriver, Recipe
    from cloudstead.store import Store


class CloudCommands:
    """`cli.commands.Commands` over the real thing."""

    def root_key(self, settings: Settings) -> tuple[str, str]:
        from cloudstead.core.tools import Tools  # noqa: PLC0415
        from cloudstead.services.iam.credentials import ensure_root  # noqa: PLC0415

        data = open_data(settings.data)
        with _store(data) as store:
            return ensure_root(store, Tools(), data.account)

    def run(self, settings: Settings, processes: Callable[[dict[str, int]], None]) -> int:
        from cloudstead.app.cloud import run  # noqa: PLC0415

        return run(settings, open_data(settings.data), processes)

    def end_machines(self, settings: Settings, say: Say) -> None:
        if sys.platform != "linux" or not (settings.data / "cloud.json").exists():
            return
        from cloudstead.app.ending import end_all  # noqa: PLC0415

        asyncio.run(end_all(settings, open_data(settings.data), say))

    def authority(self, settings: Settings) -> str:
        from cloudstead.core.clock import SystemClock  # noqa: PLC0415
        from cloudstead.gateway.tls import ca_pem  # noqa: PLC0415

        return ca_pem(open_data(settings.data).tls, SystemClock())

    def ssh_at(self, settings: Settings, instance: str) -> tuple[str, int] | None:
        from cloudstead.app.drivers import choose, drivers  # noqa: PLC0415

        machines = drivers(choose(settings), settings, open_data(settings.data)).machines
        return asyncio.run(machines.ssh_at(instance))

    def check_objects(self, settings: Settings, *, read_all: bool) -> ObjectsChecked:
        if not (settings.data / "objects").is_dir():
            return ObjectsChecked(versions=0, parts=0, size_bytes=0)
        from cloudstead.app.objects import checked, cluster  # noqa: PLC0415

        return asyncio.run(checked(settings.data / "objects", read_all=read_all, cluster=cluster(settings)))

    def images(self, settings: Settings) -> Sequence[ImageShown]:
        built = {seen.name: seen.size_bytes for seen in asyncio.run(_images(settings).observe())}
        return [
            ImageShown(
                name=recipe.name,
                login=recipe.login,
                built=recipe.name in built,
                size_bytes=built.get(recipe.name, 0),
                note="imported" if recipe.source == "imported" else "",
            )
            for recipe in self._recipes(settings)
        ]

    def build_image(self, settings: Settings, name: str, say: Say) -> None:
        recipe = next((one for one in self._recipes(settings) if one.name == name), None)
        if recipe is None:
            raise Problem(f"There is no image {name!r}; `image list` names them all.")
        asyncio.run(_images(settings, "Building an image").ensure(recipe, say))

    def import_image(self, settings: Settings, name: str, source: Path | str, login: str, say: Say) -> None:
        from cloudstead.core.tools import Tools  # noqa: PLC0415
        from cloudstead.dataplane.images.driver import Recipe  # noqa: PLC0415
        from cloudstead.services.ec2.image_catalogue import recipes  # noqa: PLC0415
        from cloudstead.services.ec2.images import register_imported  # noqa: PLC0415

        if name in recipes():
            raise Problem(f"{name!r} is the name of an image that is built here; choose another.")
        data, images = open_data(settings.data), _images(settings, "Importing an image")
        recipe = Recipe(name=name, source="imported", login=login)
        asyncio.run(images.import_archive(recipe, source, say))
        size_bytes = next(seen.size_bytes for seen in asyncio.run(images.observe()) if seen.name == name)
        with _store(data) as store:
            image = register_imported(
                store,
                Tools(),
                account=data.account,
                region=settings.region,
                name=name,
                recipe=recipe,
                size_bytes=size_bytes,
            )
        say(f"it can be launched as {image.id} in {image.region}")

    def _recipes(self, settings: Settings) -> "list[Recipe]":
        from cloudstead.services.ec2.image_catalogue import recipes  # noqa: PLC0415
        from cloudstead.services.ec2.instance_rows import Image  # noqa: PLC0415

        found = dict(recipes())
        if (settings.data / "state.sqlite").exists():
            with _store(open_data(settings.data)) as store:
                found |= {image.recipe.name: image.recipe for image in store.rows(Image)}
        return list(found.values())


def _store(data: DataDirectory) -> "Store":
    from cloudstead.store import Store, WrittenByNewer  # noqa: PLC0415

    try:
        return Store(data.database)
    except WrittenByNewer as e:
        raise Problem(
            f"The state in {data.root} {e}. Use that one, or another folder: {program()} up --data FOLDER"
        ) from None
    except sqlite3.OperationalError as e:
        raise Problem(f"{data.database}: {e}") from None
    except sqlite3.DatabaseError as e:
        raise Problem(
            f"{data.database}: {e}. Put back a copy of it, or begin anew: {program()} reset --yes"
        ) from None


def _images(settings: Settings, to_change_them: str | None = None) -> "ImagesDriver":
    """Where the images are: in the engine, for machines of one. Elsewhere only root can make any."""
    from cloudstead.app.drivers import choose, drivers  # noqa: PLC0415
    from cloudstead.dataplane.images.store import Images  # noqa: PLC0415

    kind = choose(settings)
    if kind.name == "docker":
        return drivers(kind, settings, open_data(settings.data)).images
    if to_change_them and os.geteuid() != 0:
        raise Problem(f"{to_change_them} needs root: use sudo.")
    return Images(settings.images or settings.data / "images")
