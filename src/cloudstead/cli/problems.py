"""The one way a command fails that a person can mend."""


class Problem(Exception):
    """What is wrong and, where it is known, the one command that mends it. Printed without a traceback."""

    def __init__(self, text: str, *, status: int = 1) -> None:
        super().__init__(text)
        self.status = status
