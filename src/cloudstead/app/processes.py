"""What each process of a running cloud does, once forked: the gateway workers, the controller, the name server."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import uvloop

from cloudstead import __version__
from cloudstead.app import registry, zones
from cloudstead.app.buckets import Buckets
from cloudstead.app.drivers import Kind, console_reader, drivers
from cloudstead.app.health import check_health
from cloudstead.app.objects import Objects, cluster
from cloudstead.app.operations import Result
from cloudstead.app.resolving import NetworkResolvers
from cloudstead.app.state import DataDirectory
from cloudstead.app.tables import Means, ec2_settings, hosted_zone_maker, tables
from cloudstead.app.wiring import controllers, guest_listeners, public_names, told_at_boot
from cloudstead.control.problems import Problem
from cloudstead.control.runner import Runner
from cloudstead.control.witness import Witness
from cloudstead.core.caller import Caller
from cloudstead.core.settings import Settings
from cloudstead.core.tools import Tools
from cloudstead.dataplane import dns
from cloudstead.dataplane.http import Sharing
from cloudstead.dataplane.network.naming import Pool
from cloudstead.gateway import tls, worker
from cloudstead.gateway.chain import Gateway
from cloudstead.gateway.internal import Internal
from cloudstead.gateway.settings import Settings as GatewaySettings
from cloudstead.services.ec2.instance_rows import Volume
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.iam.credentials import StoredCredentials
from cloudstead.services.iam.model import AccessKey, Account
from cloudstead.services.iam.uses import KeyUses
from cloudstead.services.kms.operations import key_lives
from cloudstead.services.route53.operations import forgotten as zones_forgotten
from cloudstead.services.route53domains.operations import controllers as domain_controllers
from cloudstead.services.route53resolver.operations import controllers as resolver_controllers
from cloudstead.services.s3.access_log_delivery import Deliveries
from cloudstead.services.s3.rows import BEFORE_APRIL_2023, TODAYS_DEFAULTS, Bucket, BucketEnd
from cloudstead.store import Store
from cloudstead.store.bell import Bell

log = logging.getLogger(__name__)

_PROBLEMS_TOLD_MAX = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the supervisor prepared before it forked."""

    settings: Settings
    data: DataDirectory
    kind: Kind
    #: A list for each gateway worker.
    api_sockets: Sequence[Sequence[socket.socket]]
    api_sharing: Sharing
    dns_sockets: Sequence[socket.socket]
    registry_sockets: registry.Sockets
    controller_bell: Bell
    checks_bell: Bell
    name_servers: zones.NameServers


class EveryoneMay:
    """No policy is enforced yet: whoever proves who they are may do everything in their account."""

    def __init__(self, uses: KeyUses) -> None:
        self._uses = uses

    def authorize(self, caller: Caller, service: str, operation: str, request: dict[str, object]) -> None:  # noqa: ARG002
        self._uses.note(caller, service)


def run_gateway(plan: Plan, number: int) -> None:
    """Be one of the workers that answer AWS API requests, until SIGTERM."""

    def committed() -> None:
        plan.controller_bell.ring()
        plan.checks_bell.ring()
        plan.name_servers.ring()

    with Store(plan.data.database, on_commit=committed) as store:  # the last one leaves one file
        _serve_api(plan, number, store, Tools())


def _serve_api(plan: Plan, number: int, store: Store, tools: Tools) -> None:
    means = Means(
        store=store,
        tools=tools,
        ec2=ec2_settings(plan.settings, plan.kind.name),
        machines_missing=lambda: plan.kind.missing,
        read_console=console_reader(plan.kind, plan.settings, plan.data),
        parameter_key=plan.data.secret("parameters"),
        name_servers=plan.name_servers,
        objects=Objects(plan.data.objects, tools, cluster(plan.settings)),
        sealing_key=plan.data.secret("objects"),
        bucket_defaults=BEFORE_APRIL_2023
        if plan.settings.bucket_defaults == "before-2023"
        else TODAYS_DEFAULTS,
    )
    operations = tables(means)

    def put(caller: Caller, request: dict[str, Any]) -> Result | Coroutine[Any, Any, Result]:
        return operations["s3"]["PutObject"](caller, request)

    access_logs = Deliveries(store, tools, put)
    gateway = Gateway(
        operations,
        StoredCredentials(store),
        EveryoneMay(KeyUses(store, tools.clock)),
        settings=GatewaySettings(
            auth="open" if plan.settings.auth == "open" else "verify",
            default_account=plan.data.account,
            default_region=plan.settings.region,
        ),
        tools=tools,
        internal=Internal(
            health=lambda: _health(plan, store),
            reset=(lambda: _reset(plan, store, means.objects)) if plan.settings.allow_reset else None,
            more=registry.internal_paths(store, tools),
        ),
        buckets=Buckets(store, tools, access_logs),
    )
    context = tls.server_context(
        plan.data.tls, tools.clock, extra_names=[Pool(plan.settings.public_pool).host]
    )
    worker.run(
        gateway,
        plan.api_sockets[number],
        ssl_context=context,
        clock=tools.clock,
        finish_within_s=plan.settings.stop_grace_s,
        at_end=lambda: _end(access_logs, means.objects),
        seat=plan.api_sharing.seat(number),
    )


async def _end(access_logs: Deliveries, objects: Objects) -> None:
    await access_logs.close()
    await objects.close()


def run_controller(plan: Plan) -> None:
    """Make the world match the rows until SIGTERM; serve metadata and names inside the networks."""
    _run(_controller(plan))


async def _controller(plan: Plan) -> None:
    tools = Tools()
    runner: Runner | None = None

    def committed() -> None:
        plan.name_servers.ring()
        if runner is not None:
            runner.wake()

    with Store(plan.data.database, on_commit=committed) as store:
        means = drivers(plan.kind, plan.settings, plan.data, told_at_boot(store, tools))
        following = zones.Following(store, plan.name_servers, zones.INSIDE)
        resolvers = NetworkResolvers(
            store,
            tools,
            plan.settings,
            means.networks,
            image=following.image,
            health=plan.name_servers.health,
        )
        networks = guest_listeners(plan.kind, means.networks, store, resolvers, tools=tools, data=plan.data)
        ec2 = ec2_settings(plan.settings, plan.kind.name)
        inbound, vpcs = resolvers.inbound(), ServiceInterfaces(Resources(store, tools, ec2))
        objects = Objects(plan.data.objects, tools, cluster(plan.settings))
        runner = Runner(
            [
                *controllers(store, tools, ec2, means, networks),
                *resolver_controllers(store, vpcs, inbound),
                objects.lifecycles(store, plan.data.secret("objects")),
                key_lives(store, tools, plan.data.secret("objects")),
                *domain_controllers(store, tools, hosted_zone_maker(store, tools)),
            ],
            store,
            tools.clock,
            plan.controller_bell,
            witness=Witness(plan.data.witness),
        )
        objects.drop_soon(store)
        try:
            async with resolvers.logging(vpcs, objects, plan.data.secret("objects")):
                await asyncio.gather(runner.run(), following.run())
        finally:
            await inbound.stop()
            await networks.stop()
            await objects.close()


def run_checks(plan: Plan) -> None:
    """Check the health of endpoints for Route 53 until SIGTERM."""
    _run(_checks(plan))


async def _checks(plan: Plan) -> None:
    with Store(plan.data.database) as store:
        await check_health(store, plan.settings, plan.name_servers, plan.checks_bell)


def run_names(plan: Plan) -> None:
    """Answer DNS questions about the cloud's public names until SIGTERM."""
    _run(_names(plan))


async def _names(plan: Plan) -> None:
    with Store(plan.data.database) as store:
        following = zones.Following(store, plan.name_servers, zones.PUBLIC)
        await following.catch_up()  # before it listens: questions wait rather than being refused
        responder = dns.Responder(following.image, plan.name_servers.health, view=None, random=Tools().random)
        server = await public_names(store, plan.settings, plan.dns_sockets, responder)
        try:
            await following.run()
        finally:
            await server.stop()


def run_registry(plan: Plan) -> None:
    """Be the registry of domains, as far as it is asked in other ways than by the API, until SIGTERM."""
    _run(_registry(plan))


async def _registry(plan: Plan) -> None:
    with Store(plan.data.database) as store:
        await registry.serve(store, Tools(), plan.settings, plan.registry_sockets)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run until done or told to end by SIGTERM or SIGINT; then cancel and let it clean up."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        loop = runner.get_loop()

        async def main() -> None:
            task = asyncio.ensure_future(work)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, task.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await task

        runner.run(main())


def _health(plan: Plan, store: Store) -> dict[str, object]:
    return {
        "status": "running",
        "version": __version__,
        "cloud": plan.data.cloud,
        "account": plan.data.account,
        "machines": plan.kind.name,
        "machines_missing": plan.kind.missing,
        "resources": store.counts(),
        "problems": [
            {"id": each.id, "text": each.text, "since": each.since.isoformat()}
            for each in store.rows(Problem)[:_PROBLEMS_TOLD_MAX]
        ],
    }


def _reset(plan: Plan, store: Store, objects: Objects) -> None:
    """Forget every resource but the root key; the controller then removes what is left in the world.

    Volumes go by rows that nobody owns: without one, their bytes would be kept as those of a stranger. So do buckets.
    """
    with store.transaction():
        kept = [
            *(BucketEnd(id=bucket.bucket_id) for bucket in store.rows(Bucket)),
            *store.rows(BucketEnd),
            *store.rows(Account, id=plan.data.account),
            *store.rows(AccessKey, owner="", account=plan.data.account),
            *(_nobodys(volume) for volume in store.rows(Volume)),
            *zones_forgotten(store),
        ]
        store.wipe()
        for row in kept:
            store.insert(row)
    objects.drop_soon(store)


def _nobodys(volume: Volume) -> Volume:
    return msgspec.structs.replace(volume, account="", want="absent", instance_id="")
