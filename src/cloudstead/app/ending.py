"""`down --all` and `reset`: take everything that a cloud made out of the world, and leave its rows and disks."""

import asyncio
from collections.abc import Sequence

from cloudstead.app.drivers import drivers, made_before
from cloudstead.app.state import DataDirectory
from cloudstead.cli.commands import Say
from cloudstead.core.settings import Settings


async def end_all(settings: Settings, data: DataDirectory, say: Say) -> None:
    """No process of the cloud may be running. Safe to repeat."""
    for kind in made_before(data):
        means = drivers(kind, settings, data)
        machines = [seen.id for seen in await means.machines.observe()]
        if machines:
            say(_counted(machines, "machine"))
        for outcome in await asyncio.gather(*map(means.machines.remove, machines), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        networks = [seen.id for seen in await means.networks.observe()]
        if networks:
            say(_counted(networks, "network"))
        await means.networks.teardown()


def _counted(ids: Sequence[str], what: str) -> str:
    return f"{len(ids)} {what}{'' if len(ids) == 1 else 's'}"
