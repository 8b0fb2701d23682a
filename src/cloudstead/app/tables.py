"""Which class answers which operation: every service of the cloud, wired by hand."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cloudstead.app.objects import Objects
from cloudstead.app.operations import AnyOperation, Operation, operations_of
from cloudstead.app.resolving import has_bucket, reading
from cloudstead.app.zones import NameServers, neighbours
from cloudstead.core import ids
from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.core.settings import Settings
from cloudstead.core.tools import Tools
from cloudstead.dataplane.network.naming import Pool
from cloudstead.gateway import wire
from cloudstead.services.ec2.instance_rows import Profile
from cloudstead.services.ec2.instances_console import ReadConsole
from cloudstead.services.ec2.instances_launch import Neighbours
from cloudstead.services.ec2.operations import (
    VPC_KINDS,
    ServiceInterfaces,
    instance_parts,
    opening,
    public_parameters,
    vpc_parts,
)
from cloudstead.services.ec2.rows import Resources
from cloudstead.services.ec2.rows import Settings as Ec2Settings
from cloudstead.services.ec2.vpc_networking import VpcNetworking
from cloudstead.services.iam.operations import find_instance_profile
from cloudstead.services.iam.operations import parts as iam_parts
from cloudstead.services.kms.operations import parts as kms_parts
from cloudstead.services.route53.directory import Directory
from cloudstead.services.route53.operations import parts as route53_parts
from cloudstead.services.route53.zones import HostedZones
from cloudstead.services.route53domains.operations import MakeHostedZone
from cloudstead.services.route53domains.operations import parts as route53domains_parts
from cloudstead.services.route53resolver.operations import parts as route53resolver_parts
from cloudstead.services.s3.operations import control_parts as s3_control_parts
from cloudstead.services.s3.operations import parts as s3_parts
from cloudstead.services.s3.rows import TODAYS_DEFAULTS, Defaults
from cloudstead.services.ssm.operations import parts as ssm_parts
from cloudstead.services.ssm.operations import read_parameter
from cloudstead.services.sts.operations import Sts
from cloudstead.store import Store

SERVICES = (
    "ec2",
    "iam",
    "kms",
    "route53",
    "route53domains",
    "route53resolver",
    "s3",
    "s3control",
    "ssm",
    "sts",
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Means:
    """What the services are built with."""

    store: Store
    tools: Tools
    ec2: Ec2Settings = field(default_factory=Ec2Settings)
    machines_missing: Callable[[], str | None] = lambda: None
    read_console: ReadConsole = lambda _: b""
    objects: Objects = field(default_factory=lambda: Objects(Path("objects"), Tools()))
    #: What objects and the material of KMS's keys are sealed under, 32 bytes.
    sealing_key: bytes = bytes(32)
    #: What new buckets begin with.
    bucket_defaults: Defaults = TODAYS_DEFAULTS
    #: What SecureString parameters are encrypted under, 32 bytes.
    parameter_key: bytes = bytes(32)
    name_servers: NameServers = field(default_factory=NameServers)


def ec2_settings(settings: Settings, machines: str) -> Ec2Settings:
    host = Pool(settings.public_pool).host
    return Ec2Settings(
        public_pool=settings.public_pool,
        ssh_from=f"{host}/32" if settings.open_ssh else "",
        machines=machines,
    )


def tables(means: Means) -> "Tables":
    """Every service's operations, by botocore's name of the service and the operation's name."""
    store, tools = means.store, means.tools
    made = Tables(
        {
            "ec2": lambda: _ec2(means),
            "iam": lambda: _table("iam", *iam_parts(store, tools)),
            "kms": lambda: _table("kms", *kms_parts(store, tools, means.sealing_key)),
            "route53": lambda: _route53(means),
            "route53domains": lambda: _table("route53domains", *route53domains_parts(store, tools)),
            "route53resolver": lambda: _route53resolver(means, made["s3"]),
            "s3": lambda: _s3(means),
            "s3control": lambda: _table("s3control", *s3_control_parts(store)),
            "ssm": lambda: _table("ssm", *ssm_parts(store, tools, means.parameter_key, public_parameters)),
            "sts": lambda: _table("sts", Sts(store, tools)),
        }
    )
    return made


class Tables(Mapping[str, Mapping[str, AnyOperation]]):
    """Tables that are made when they are first asked for: a process pays for the services it is asked about."""

    def __init__(self, makers: Mapping[str, Callable[[], Mapping[str, AnyOperation]]]) -> None:
        self._makers = makers
        self._made: dict[str, Mapping[str, AnyOperation]] = {}

    def __getitem__(self, service: str) -> Mapping[str, AnyOperation]:
        found = self._made.get(service)
        if found is None:
            found = self._made[service] = self._makers[service]()
        return found

    def __contains__(self, service: object) -> bool:
        return service in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def modelled_operations(service: str) -> list[str]:
    """All operations AWS has for a service."""
    return wire.load(service).operation_names


def built_operations(service: str) -> Mapping[str, AnyOperation]:
    """The ones that are built here."""
    return _built()[service]


@cache
def _built() -> Mapping[str, Mapping[str, AnyOperation]]:
    return tables(Means(store=Store(None), tools=Tools()))


def _ec2(means: Means) -> dict[str, Operation]:
    resources = Resources(means.store, means.tools, means.ec2)
    neighbours = Neighbours(
        network=VpcNetworking(resources),
        find_profile=_profiles(means.store),
        read_parameter=lambda caller, name: read_parameter(
            means.store, means.parameter_key, public_parameters, caller, name
        ),
        machines_missing=means.machines_missing,
    )
    parts = instance_parts(resources, neighbours, means.read_console, more_kinds=VPC_KINDS)
    table = _table("ec2", *parts, *vpc_parts(resources))
    return {name: opening(resources, operation) for name, operation in table.items()}


def _s3(means: Means) -> dict[str, AnyOperation]:
    made = s3_parts(means.store, means.tools, means.objects.store, means.sealing_key, means.bucket_defaults)
    table = _table("s3", *made)
    return {name: means.objects.opening(operation) for name, operation in table.items()}


def _route53(means: Means) -> dict[str, Operation]:
    ranges = ["127.0.0.1/32", "::1/128"]
    if means.ec2.machines == "oci":  # this machine, as instances see it
        ranges.insert(0, f"{Pool(means.ec2.public_pool).host}/32")
    near = neighbours(means.store, means.name_servers, means.tools.random, ranges)
    return _table("route53", *route53_parts(means.store, means.tools, near))


def _route53resolver(means: Means, s3: Mapping[str, AnyOperation]) -> dict[str, Operation]:
    resources = Resources(means.store, means.tools, means.ec2)

    parts = route53resolver_parts(
        means.store,
        means.tools,
        ServiceInterfaces(resources),
        has_bucket(means.store),
        reading(s3["GetObject"]),
    )
    table = _table("route53resolver", *parts)
    return {name: opening(resources, operation) for name, operation in table.items()}


def _profiles(store: Store) -> Callable[[str, str | None, str | None], Profile | None]:
    """EC2's word for an instance profile, from IAM's."""

    def find(account: str, name: str | None, arn: str | None) -> Profile | None:
        found = find_instance_profile(store, account, name=name, arn=arn)
        return Profile(id=found.id, arn=found.arn()) if found is not None else None

    return find


def hosted_zone_maker(store: Store, tools: Tools) -> MakeHostedZone:
    """What the registrar asks for a hosted zone with, as AWS's does when somebody registers a domain."""
    zones = HostedZones(Directory(store, tools))

    def make(account: str, name: str) -> Sequence[str]:
        registrar = Caller(
            account=account,
            region="us-east-1",
            arn=arn("iam", "root", account=account),
            user_id=account,
        )
        asked = {
            "Name": name,
            "CallerReference": f"RISWorkflow-RD:{ids.uuid(tools.random)}",
            "HostedZoneConfig": {"Comment": "HostedZone created by Route53 Registrar"},
        }
        try:
            made = zones.create_hosted_zone(registrar, asked)
        except ServiceError as e:
            log.warning("%s: no hosted zone was made: %s", name, e)
            return ()
        return tuple(made["DelegationSet"]["NameServers"])

    return make


def _table(service: str, *parts: object) -> dict[str, Operation]:
    return operations_of(dict.fromkeys(modelled_operations(service)), *parts)
