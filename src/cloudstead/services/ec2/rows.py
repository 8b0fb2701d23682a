"""What all EC2 rows share: an owner, a region, tags, and the words AWS has for the kind."""

from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from cloudstead.core import ids
from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.core.tools import Tools
from cloudstead.store import Row, Store


class Ec2Row(Row, frozen=True, kw_only=True):
    """A resource of EC2, owned by an account in a region."""

    prefix: ClassVar[str]  # of its ids: "vpc"
    #: As TagSpecifications and DescribeTags call the kind: "vpc", "network-interface".
    resource_type: ClassVar[str]
    #: The stem of its error codes: "InvalidVpcID" gives InvalidVpcID.NotFound.
    id_error: ClassVar[str]
    #: That of its Malformed error, where AWS spells it in another way.
    malformed_error: ClassVar[str] = ""
    #: As error messages call it: "The vpc ID 'vpc-…' does not exist".
    noun: ClassVar[str]

    account: str
    region: str
    tags: dict[str, str] = {}

    @property
    def visible(self) -> bool:
        """Whether callers still see it. A row that only waits for the world to be cleared is not."""
        return True

    def arn(self) -> str:
        return arn("ec2", f"{self.resource_type}/{self.id}", account=self.account, region=self.region)

    @classmethod
    def missing(cls, id: str) -> ServiceError:
        return ServiceError(f"The {cls.noun} ID '{id}' does not exist", code=f"{cls.id_error}.NotFound")

    @classmethod
    def malformed(cls, id: str) -> ServiceError:
        return ServiceError(
            f'Invalid id: "{id}" (expecting "{cls.prefix}-...")',
            code=f"{cls.malformed_error or cls.id_error}.Malformed",
        )


E = TypeVar("E", bound=Ec2Row)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the person who runs the cloud may choose for EC2."""

    #: Addresses for elastic and public IPs; reachable from this machine. RFC 2544's test range by default.
    public_pool: str = "198.18.0.0/16"
    #: How long a terminated instance stays visible, in seconds; AWS keeps it about an hour.
    terminated_visible_s: float = 3600.0
    #: How many vCPUs the running instances of an account may have in a region; a raised quota, as AWS grants them.
    vcpus_max: int = 4096
    #: How many VPCs an account may have in a region, and internet gateways; AWS gives five until asked for more.
    vpcs_max: int = 100
    #: How many elastic addresses an account may have in a region; AWS allows 5 until one asks for more.
    elastic_addresses_max: int = 1000
    #: The range from which the default group of a default VPC lets ssh in; "" for none, as on AWS.
    ssh_from: str = ""
    #: Name of the machine driver in use ("oci", "docker", "fake", "none"), shown to callers as a tag where it matters.
    machines: str = "oci"

    @property
    def public_addresses(self) -> bool:
        """Whether there are any: a Docker engine has no addresses that this machine could lead to its containers."""
        return self.machines != "docker"


@dataclass(frozen=True)
class Resources:
    """The store as EC2's operations see it: by caller, with AWS's errors for what is not there."""

    store: Store
    tools: Tools
    settings: Settings = field(default_factory=Settings)

    def new_id(self, kind: type[Ec2Row]) -> str:
        return ids.new(kind.prefix, self.tools.random)

    def mine(self, kind: type[E], caller: Caller) -> list[E]:
        """Every row of the kind in the caller's account and region, oldest first."""
        rows = self.store.rows(kind, account=caller.account, region=caller.region)
        return rows if kind.visible is Ec2Row.visible else [row for row in rows if row.visible]

    def find(self, kind: type[E], caller: Caller, id: str) -> E:
        """The caller's row of this id, or the kind's Malformed or NotFound error."""
        row = self.store.get(kind, id)
        if row is not None and row.account == caller.account and row.region == caller.region and row.visible:
            return row
        raise kind.missing(id) if ids.well_formed(id, kind.prefix) else kind.malformed(id)

    def find_all(self, kind: type[E], caller: Caller, wanted: list[str]) -> list[E]:
        """The rows of these ids in the order asked for; all of the caller's if none is asked for."""
        if not wanted:
            return self.mine(kind, caller)
        return [self.find(kind, caller, id) for id in dict.fromkeys(wanted)]
