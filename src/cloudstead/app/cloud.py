"""`up`, from the settings to the supervisor: sockets are bound, models loaded, and only then processes forked."""

import gc
import logging
import os
import socket
from collections.abc import Callable
from functools import partial

from cloudstead.app import drivers, registry
from cloudstead.app.processes import Plan, run_checks, run_controller, run_gateway, run_names, run_registry
from cloudstead.app.state import DataDirectory
from cloudstead.app.supervisor import Role, Supervisor
from cloudstead.app.tables import SERVICES
from cloudstead.app.zones import INSIDE, PUBLIC, NameServers
from cloudstead.cli.problems import Problem
from cloudstead.core.settings import Settings
from cloudstead.dataplane.http import Sharing
from cloudstead.dataplane.network.naming import Pool
from cloudstead.gateway import wire
from cloudstead.store.bell import Bell

log = logging.getLogger(__name__)

_BACKLOG = 1024
_IP_FREEBIND = 15  # linux/in.h; Python has no name for it


def run(settings: Settings, data: DataDirectory, processes: Callable[[dict[str, int]], None]) -> int:
    """Be the cloud until SIGTERM or SIGINT; return the exit status."""
    kind = drivers.choose(settings)
    log.info("machines: %s%s", kind.name, f" ({kind.missing})" if kind.missing else "")
    workers = settings.workers or os.cpu_count() or 1
    plan = Plan(
        settings=settings,
        data=data,
        kind=kind,
        api_sockets=_api_sockets(settings, kind, workers),
        api_sharing=Sharing(workers),
        dns_sockets=_dns_sockets(settings),
        registry_sockets=_registry_sockets(settings),
        controller_bell=Bell(),
        checks_bell=Bell(),
        name_servers=_name_servers(settings, kind),
    )
    roles = [Role(f"gateway-{n + 1}", partial(run_gateway, plan, n)) for n in range(workers)]
    roles.append(Role("controller", partial(run_controller, plan)))
    roles.append(Role("checks", partial(run_checks, plan)))
    if plan.dns_sockets:
        roles.append(Role("names", partial(run_names, plan)))
    if plan.registry_sockets:
        roles.append(Role("registry", partial(run_registry, plan)))
    for service in SERVICES:
        wire.load(service)  # once for all workers
    gc.collect()
    gc.freeze()  # a collection in a child must not touch, and so copy, what all of them share
    Supervisor(roles, on_change=processes).run()
    return 0


def _api_sockets(settings: Settings, kind: drivers.Kind, workers: int) -> list[list[socket.socket]]:
    """Each worker's own: the kernel spreads connections over all that listen at one address."""
    addresses = {settings.host: False}
    if kind.name == "oci" and settings.host not in ("0.0.0.0", "::"):  # noqa: S104 - told apart, not bound
        addresses[Pool(settings.public_pool).host] = True  # where instances reach us, once there is a network
    for address, to_come in addresses.items():
        # What may be shared would be shared with any other cloud too.
        _bound(address, settings.port, socket.SOCK_STREAM, to_come=to_come).close()
    return [
        [
            _listening(_bound(address, settings.port, socket.SOCK_STREAM, shared=True, to_come=to_come))
            for address, to_come in addresses.items()
        ]
        for _ in range(workers)
    ]


def _name_servers(settings: Settings, kind: drivers.Kind) -> NameServers:
    """Nobody is told of zones who cannot be asked."""
    places = [PUBLIC] * bool(settings.dns_port) + [INSIDE] * (kind.name == "oci")
    return NameServers({place: Bell() for place in places})


def _dns_sockets(settings: Settings) -> list[socket.socket]:
    return _names_at(settings.dns_host, settings.dns_port)


def _names_at(host: str, port: int) -> list[socket.socket]:
    if not port:
        return []
    return [_bound(host, port, socket.SOCK_DGRAM), _listening(_bound(host, port, socket.SOCK_STREAM))]


def _registry_sockets(settings: Settings) -> registry.Sockets:
    at = registry.servers(settings)
    return registry.Sockets(
        root=[sock for host in at.root for sock in _names_at(host, settings.dns_port)],
        tld=[sock for host in at.tld for sock in _names_at(host, settings.dns_port)],
        whois=_listening_at(settings.host, settings.whois_port),
        rdap=_listening_at(settings.host, settings.rdap_port),
    )


def _listening_at(host: str, port: int) -> list[socket.socket]:
    return [_listening(_bound(host, port, socket.SOCK_STREAM))] if port else []


def _listening(bound: socket.socket) -> socket.socket:
    bound.listen(_BACKLOG)
    return bound


def _bound(
    host: str, port: int, kind: socket.SocketKind, *, shared: bool = False, to_come: bool = False
) -> socket.socket:
    """`shared` with others that say so too; `to_come` is an address that this machine has not yet."""
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    if kind == socket.SOCK_STREAM:  # for datagrams it would mean that two may have the port
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if to_come:
        sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    try:
        sock.bind((host, port))
    except OSError as e:
        sock.close()
        raise Problem(f"{host} port {port} cannot be used: {os.strerror(e.errno or 0)}") from None
    return sock
