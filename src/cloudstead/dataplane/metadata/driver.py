"""What the metadata service needs to know of a guest. The tree itself belongs to EC2; see services/ec2/metadata.py."""

from collections.abc import Callable
from typing import Literal, Protocol

ADDRESS = "169.254.169.254"
ADDRESS_IPV6 = "fd00:ec2::254"
PORT = 80


class Guest(Protocol):
    """One machine that may ask, with its metadata options."""

    @property
    def id(self) -> str: ...

    @property
    def enabled(self) -> bool:
        """False: the service is turned off for this machine."""
        ...

    @property
    def tokens(self) -> Literal["optional", "required"]: ...

    @property
    def hop_limit(self) -> int: ...

    def read(self, path: str) -> bytes | None:
        """What stands at a path such as `meta-data/instance-id` (no version, no slash before), None for nothing."""
        ...


#: The guest behind an address of a network (vpc-…), None if there is none.
FindGuest = Callable[[str, str], Guest | None]
