"""Resource ids as AWS writes them: a prefix and 17 hexadecimal digits, e.g. `i-0a1b2c3d4e5f60718`.

What is made in the world is named after these, so they must be safe in a path, a netns name and a cgroup name.
"""

import random
import re

_ID = re.compile(r"^[a-z]+(?:-[a-z]+)*-[0-9a-f]{8}(?:[0-9a-f]{9})?$")


def new(prefix: str, chance: random.Random) -> str:
    """A fresh id: `new("i", random)` -> `i-0…`. AWS's long ids start with a zero."""
    return f"{prefix}-0{chance.getrandbits(64):016x}"


def well_formed(id: str, prefix: str) -> bool:
    """Whether `id` has the shape of an id of this prefix: 8 or 17 hexadecimal digits."""
    return (
        id.startswith(prefix + "-") and _ID.match(id) is not None and id.count("-") == prefix.count("-") + 1
    )


def token(chance: random.Random, alphabet: str, length: int) -> str:
    """A random string for keys, secrets and session tokens."""
    return "".join(chance.choices(alphabet, k=length))


def uuid(chance: random.Random) -> str:
    """A random (version 4) UUID in its usual text form."""
    bits = chance.getrandbits(128) & ~(0xF << 76) & ~(0x3 << 62) | (0x4 << 76) | (0x2 << 62)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
