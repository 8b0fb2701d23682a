"""How a gateway is told to behave; `app.py` fills it from flags, environment and file."""

from dataclasses import dataclass
from typing import Literal

Auth = Literal["verify", "open"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    #: `verify` checks every signature. `open` takes any key; one of 12 digits is the account's id.
    auth: Auth = "verify"
    default_account: str = "000000000000"
    default_region: str = "us-east-1"
    #: Web pages that may call besides those served from this machine; matters in `open` mode alone.
    allowed_origins: frozenset[str] = frozenset()
