"""The resolver inside each network, where Route 53 Resolver's settings come to hold, and the endpoints that lead to it."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Coroutine, Sequence

from cloudstead.app.objects import Objects
from cloudstead.app.operations import AnyOperation
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.core.settings import Settings
from cloudstead.core.tools import Tools
from cloudstead.dataplane import dns
from cloudstead.dataplane.dns.inbound import InboundEndpoints
from cloudstead.dataplane.dns.outbound import Outbound
from cloudstead.dataplane.dns.query_log import QueryNotes
from cloudstead.dataplane.dns.resolver import Resolver
from cloudstead.dataplane.network import naming
from cloudstead.dataplane.network.driver import NetworkDriver
from cloudstead.services.ec2.name_answers import Ec2Names
from cloudstead.services.ec2.operations import ServiceInterfaces
from cloudstead.services.route53resolver.operations import HasBucket, QueryLogDeliveries, ReadObject, Views
from cloudstead.services.s3.operations import parts as s3_parts
from cloudstead.services.s3.rows import TODAYS_DEFAULTS, Bucket
from cloudstead.store import Store

_DNS_PORT = 53
#: So long is a list of as many domains as an account may have, each as long as a name can be.
_FILE_BYTES_MAX = 32 << 20


class NetworkResolvers:
    """Those of all networks. `image` is what they know of zones; who feeds it zones need not care for networks."""

    def __init__(
        self,
        store: Store,
        tools: Tools,
        settings: Settings,
        networks: NetworkDriver,
        *,
        image: dns.Image,
        health: dns.Health,
    ) -> None:
        self._store = store
        self._networks = networks
        self._tools = tools
        self._image = image
        self._health = health
        self._names = Ec2Names(store, api_address=naming.Pool(settings.public_pool).host)
        self._resolver = Resolver(
            self._names,
            Views(store).of,
            image,
            Outbound(
                lambda network, kind, address: networks.open_socket(network, kind, address, 0, listen=False)
            ),
            dns.Forwarder(upstreams(settings)),
        )
        self._notes = QueryNotes(tools.clock, self._resolver.met)

    async def open(self, network: str) -> dns.Server:
        """Listen where every machine of a network looks for its resolver."""
        addresses = [naming.RESOLVER, naming.RESOLVER6]
        cidr = self._names.cidr(network)
        if cidr is not None:
            addresses.append(
                str(ipaddress.ip_network(cidr)[2])
            )  # AWS's resolver: the base of the network, plus two
        sockets = [
            self._networks.open_socket(network, kind, address, _DNS_PORT)
            for address in addresses
            for kind in ("udp", "tcp")
        ]
        return await self._serve(network, sockets)

    def inbound(self) -> InboundEndpoints:
        """The same at the addresses of inbound endpoints."""
        return InboundEndpoints(self._networks.open_socket, self._serve)

    @contextlib.asynccontextmanager
    async def logging(
        self, vpcs: ServiceInterfaces, objects: Objects, sealing_key: bytes
    ) -> AsyncIterator[None]:
        """Deliver query logs to buckets meanwhile."""
        deliveries = QueryLogDeliveries(
            self._store,
            self._tools,
            vpcs,
            has_bucket(self._store),
            take=self._notes.take,
            put=_put_object(self._store, self._tools, objects, sealing_key),
        )
        task = asyncio.create_task(deliveries.run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _serve(self, network: str, sockets: Sequence[socket.socket]) -> dns.Server:
        return await dns.serve(
            self._resolver,
            sockets,
            view=network,
            forwarder=self._resolver.beyond(network),
            zones=dns.Responder(self._image, self._health, view=network, random=self._tools.random),
            outbound=self._resolver.outbound(network),
            notes=self._notes,
        )


def has_bucket(store: Store) -> HasBucket:
    """S3's word for the resolver."""

    def has(account: str, name: str) -> bool:
        bucket = store.get(Bucket, name)
        return bucket is not None and bucket.account == account

    return has


def reading(get_object: AnyOperation) -> ReadObject:
    """S3's GetObject, for the resolver to read a small file with."""

    async def read(caller: Caller, bucket: str, key: str) -> bytes:
        answer = get_object(caller, {"Bucket": bucket, "Key": key})
        found = await answer if isinstance(answer, Coroutine) else answer
        assert found is not None
        body = found["Body"]
        if isinstance(body, bytes | bytearray):
            return bytes(body)
        async with contextlib.aclosing(body.chunks) as chunks:
            if body.length > _FILE_BYTES_MAX:
                raise ServiceError(f"The file is larger than {_FILE_BYTES_MAX} bytes.")
            return b"".join([chunk async for chunk in chunks])

    return read


def _put_object(store: Store, tools: Tools, objects: Objects, sealing_key: bytes) -> AnyOperation:
    made = s3_parts(store, tools, objects.store, sealing_key, TODAYS_DEFAULTS)
    (put,) = (part.put_object for part in made if hasattr(part, "put_object"))
    return objects.opening(put)


def upstreams(settings: Settings) -> list[tuple[str, int]]:
    match settings.dns_upstream:
        case "none" | "":
            return []
        case "host":
            return dns.host_upstreams(excluding=[settings.dns_host])
        case addresses:
            return [(address.strip(), _DNS_PORT) for address in addresses.split(",")]
