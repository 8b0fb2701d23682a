"""What the controller and the name server are made of."""

import socket
from collections.abc import Sequence
from typing import Any

from cloudstead.app import registry
from cloudstead.app.drivers import Drivers, Kind, Metadata
from cloudstead.app.resolving import NetworkResolvers
from cloudstead.app.served import Listener, ServedNetworks
from cloudstead.app.state import DataDirectory
from cloudstead.control.steps import Controller
from cloudstead.core.settings import Settings
from cloudstead.core.tools import Tools
from cloudstead.dataplane import dhcp, dns, http
from cloudstead.dataplane.metadata.service import MetadataService
from cloudstead.dataplane.metadata.tokens import Tokens
from cloudstead.dataplane.network import naming
from cloudstead.dataplane.network.driver import NetworkDriver
from cloudstead.services.ec2.dhcp_answers import find_lease
from cloudstead.services.ec2.instance_reconcile import Instances
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.metadata import InstanceCredentials, InstanceGuest, RoleCredentials, find_guest
from cloudstead.services.ec2.name_answers import Ec2Names
from cloudstead.services.ec2.network_reconcile import NatGateways, Networks
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.ec2.rows import Settings as Ec2Settings
from cloudstead.services.ec2.volume_reconcile import Volumes
from cloudstead.services.ec2.vpc_networking import VpcNetworking
from cloudstead.services.iam.operations import role_of
from cloudstead.services.route53domains.operations import RegistryNames
from cloudstead.services.sts.operations import role_credentials
from cloudstead.store import Store

_STOP_WITHIN_S = 1.0


def controllers(
    store: Store, tools: Tools, ec2: Ec2Settings, drivers: Drivers, networks: NetworkDriver
) -> list[Controller[Any, Any]]:
    """Everything that makes the world match the rows."""
    resources = Resources(store, tools, ec2)
    instances = Instances(
        store,
        tools.clock,
        drivers.machines,
        drivers.images,
        VpcNetworking(resources),
        host_boot=drivers.host_boot,
        terminated_visible_s=ec2.terminated_visible_s,
    )
    return [Networks(resources, networks), NatGateways(resources), Volumes(store, drivers.volumes), instances]


def guest_listeners(
    kind: Kind,
    networks: NetworkDriver,
    store: Store,
    resolvers: NetworkResolvers,
    *,
    tools: Tools,
    data: DataDirectory,
) -> ServedNetworks:
    """Networks with the metadata service, the resolver and DHCP in each; what carries no packets has none of them."""
    if kind.name != "oci":
        return ServedNetworks(networks, {})
    service = MetadataService(
        find_guest(store, _instance_credentials(store, tools)), Tokens(data.secret("metadata")), tools.clock
    )

    async def metadata(network: str) -> Listener:
        sockets = [
            networks.open_socket(network, "tcp", address, 80)
            for address in (naming.METADATA, naming.METADATA6)
        ]
        return _Http(await http.serve(sockets, service.handler(network), server_header="EC2ws"))

    async def leases(network: str) -> Listener:
        return dhcp.serve(
            networks.open_socket(network, "udp", "0.0.0.0", dhcp.PORT),  # noqa: S104 - inside the network alone
            find_lease(store, network),
        )

    return ServedNetworks(networks, {"metadata": metadata, "resolver": resolvers.open, "leases": leases})


def told_at_boot(store: Store, tools: Tools) -> Metadata:
    """What the metadata service would answer, for machines that it does not reach."""
    credentials = _instance_credentials(store, tools)

    def read(id: str, path: str) -> bytes | None:
        instance = store.get(Instance, id)
        return None if instance is None else InstanceGuest(store, instance, credentials).read(path)

    return read


async def public_names(
    store: Store, settings: Settings, sockets: Sequence[socket.socket], zones: dns.Responder
) -> dns.Server:
    """The name server for everybody outside the networks. It is no resolver: what is not ours is refused."""
    names = registry.EitherNames(
        Ec2Names(store, api_address=naming.Pool(settings.public_pool).host),
        RegistryNames(registry.servers(settings)),
    )
    return await dns.serve(names, sockets, view=None, zones=zones)


class _Http:
    """An HTTP server as a listener: nobody waits long for a guest that does not read."""

    def __init__(self, server: http.HttpServer) -> None:
        self._server = server

    async def stop(self) -> None:
        await self._server.stop(_STOP_WITHIN_S)


def _instance_credentials(store: Store, tools: Tools) -> InstanceCredentials:
    def role_name(profile_arn: str) -> str | None:
        role = role_of(store, profile_arn)
        return role.name if role is not None else None

    def issue(instance_id: str, profile_arn: str) -> RoleCredentials | None:
        made = role_credentials(store, tools, profile_arn, instance_id)
        if made is None:
            return None
        return RoleCredentials(
            role=made.role,
            access_key_id=made.access_key_id,
            secret_access_key=made.secret_access_key,
            token=made.token,
            issued_at=made.issued_at,
            expires_at=made.expires_at,
        )

    return InstanceCredentials(tools.clock, role_name, issue)
