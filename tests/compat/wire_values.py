"""Values made from shapes by a seeded random: what a caller may send, and what an operation may answer.

Required members are always there, lengths, ranges and enums are kept, patterns are not (nobody can write a text
for any pattern). What a place on the wire cannot carry is not made: no line break in a header.
"""

import datetime as dt
import random

from botocore.model import Shape

_DEPTH_MAX = 5
_TEXT = "abcXYZ019-_ éß漢😀.,;:/?#[]@!$&'()*+=<>\"%~\t\n"
_PLAIN = "abcXYZ019-_"
_OPTIONAL_LIKELIHOOD = (0.7, 0.5, 0.3, 0.2, 0.1, 0.0)


class Values:
    def __init__(self, seed: str, *, direction: str) -> None:
        self._random = random.Random(seed)
        self._answering = direction == "output"

    def of(self, shape: Shape) -> dict:
        return self._structure(shape, 0, top=True)

    def _structure(self, shape: Shape, depth: int, *, top: bool = False) -> dict:
        names = self._chosen(shape, depth)
        if not names and shape.members and not top and depth < _DEPTH_MAX:
            names = [self._random.choice(list(shape.members))]
        return {
            name: self._value(shape.members[name], depth + 1, self._place(shape, name, top=top))
            for name in names
        }

    def _chosen(self, shape: Shape, depth: int) -> list[str]:
        if getattr(shape, "is_tagged_union", False):
            names = list(shape.members)
            flat = [
                name for name in names if shape.members[name].type_name not in ("structure", "list", "map")
            ]
            return [self._random.choice(flat if flat and depth >= _DEPTH_MAX else names)]
        likelihood = _OPTIONAL_LIKELIHOOD[min(depth, _DEPTH_MAX)]
        required = set(shape.required_members)
        return [name for name in shape.members if name in required or self._random.random() < likelihood]

    def _place(self, shape: Shape, name: str, *, top: bool) -> str:
        if not top:
            return "body"
        member = shape.members[name]
        if shape.serialization.get("payload") == name and member.type_name in ("string", "blob"):
            return "payload"
        if member.serialization.get("hostLabel"):
            return "host"
        return member.serialization.get("location", "body")

    def _value(self, shape: Shape, depth: int, place: str):
        match shape.type_name:
            case "structure":
                return self._structure(shape, depth)
            case "list":
                return [self._value(shape.member, depth, place) for _ in range(self._count(shape, depth))]
            case "map":
                return {
                    self._text(shape.key, "key" if place == "headers" else place): self._value(
                        shape.value, depth, place
                    )
                    for _ in range(self._count(shape, depth))
                }
            case "string":
                return self._text(shape, place)
            case "blob":
                return self._blob(shape, place)
            case "boolean":
                return self._random.random() < 0.5
            case "timestamp":
                return self._moment(shape, place)
            case "integer" | "long":
                return self._integer(shape)
            case "float" | "double":
                return self._number(shape)
        raise NotImplementedError(shape.type_name)

    def _count(self, shape: Shape, depth: int) -> int:
        least = int(shape.metadata.get("min") or 0) or 1
        return max(
            least,
            min(int(shape.metadata.get("max", 3)), self._random.choice((1, 1, 2, 3) if depth < 3 else (1,))),
        )

    def _text(self, shape: Shape, place: str) -> str:
        enum = shape.metadata.get("enum")
        if enum:
            return self._random.choice(enum)
        least = int(shape.metadata.get("min") or 0)
        most = int(shape.metadata.get("max") or 40)
        length = max(1, least, min(most, self._random.randint(1, 12)))
        letters = _TEXT if place in ("body", "querystring") else _PLAIN
        if place == "host":
            letters = "abcXYZ019-"
        if place == "uri":
            letters = _PLAIN + " :é%+"
        text = "".join(self._random.choices(letters, k=length))
        return text.lower() if place == "key" else text

    def _blob(self, shape: Shape, place: str) -> bytes:
        length = max(1, int(shape.metadata.get("min") or 0), self._random.randint(1, 20))
        if place == "payload" and self._answering:
            return b"x" * length  # botocore's parser takes it for text
        return self._random.randbytes(length)

    def _moment(self, shape: Shape, place: str) -> dt.datetime:
        whole = dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=self._random.randrange(10**9))
        coarse = place == "header" or shape.serialization.get("timestampFormat") == "rfc822"
        return (
            whole
            if coarse or self._random.random() < 0.5
            else whole + dt.timedelta(milliseconds=self._random.randrange(1000))
        )

    def _integer(self, shape: Shape) -> int:
        least, most = shape.metadata.get("min"), shape.metadata.get("max")
        low = int(least) if least is not None else -5 if most is None else min(0, int(most))
        return self._random.randint(low, max(low, int(most) if most is not None else low + 10**9))

    def _number(self, shape: Shape) -> float:
        low = float(shape.metadata.get("min", 0))
        high = float(shape.metadata.get("max", low + 1000))
        # Quarters are exact in every width of float.
        return low + self._random.randrange(int((high - low) * 4) + 1) / 4
