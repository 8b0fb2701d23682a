"""The ids and keys IAM gives out.

A unique id is a prefix that tells the kind and 17 further characters. An access key id carries its account: the 16
characters after the prefix are base32, and bits 1 to 40 of them the account number, as on AWS.
"""

import base64
import re

from cloudstead.core import ids
from cloudstead.core.tools import Tools

_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ACCESS_KEY_ID = re.compile(r"A(?:KIA|SIA)[A-Z2-7]{16}")

USER, ROLE, GROUP, INSTANCE_PROFILE, POLICY = "AIDA", "AROA", "AGPA", "AIPA", "ANPA"
LONG_TERM, TEMPORARY = "AKIA", "ASIA"


def new_id(prefix: str, tools: Tools) -> str:
    return prefix + ids.token(tools.random, _BASE32, 17)


def new_access_key_id(prefix: str, account: str, tools: Tools) -> str:
    bits = 1 << 79 | int(account) << 39 | tools.random.getrandbits(39)
    return prefix + base64.b32encode(bits.to_bytes(10)).decode()


def account_of(access_key_id: str) -> str | None:
    """The account that an access key id names; None if it has not the shape of one."""
    if not _ACCESS_KEY_ID.fullmatch(access_key_id):
        return None
    bits = int.from_bytes(base64.b32decode(access_key_id[4:]))
    return f"{bits >> 39 & (1 << 40) - 1:012d}"


def new_secret(tools: Tools) -> str:
    return ids.token(tools.random, _BASE64, 40)


def new_session_token(tools: Tools) -> str:
    """Opaque: it says nothing, and is looked up."""
    return "IQoJb3JpZ2lu" + ids.token(tools.random, _BASE64, 204)
