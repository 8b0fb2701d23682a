"""A value on the wire that is not what its shape wants, and where it was."""


class BadValue(Exception):
    """`reason` says what is wrong with `value`; `path` grows from the leaf outwards while this rises."""

    def __init__(self, reason: str, value: object = None, *, kind: str = "type") -> None:
        super().__init__(reason)
        self.reason = reason
        self.value = value
        self.kind = kind
        self.path: list[str] = []

    def within(self, name: str) -> "BadValue":
        self.path.insert(0, name)
        return self


class Malformed(Exception):
    """The body as a whole cannot be read."""
