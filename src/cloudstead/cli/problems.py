"""The one way a command fails that a person can mend, and what the system refuses, in a person's words."""


class Problem(Exception):
    """What is wrong and, where it is known, the one command that mends it. Printed without a traceback."""

    def __init__(self, text: str, *, status: int = 1) -> None:
        super().__init__(text)
        self.status = status


def refused(e: OSError) -> Problem:
    """What the system refused, and to do what with which file as far as it tells."""
    if isinstance(e, PermissionError):
        return Problem(f"{e.filename or 'something'}: permission denied; is it root's cloud? Then use sudo.")
    return Problem(f"{e.filename}: {e.strerror}" if e.filename else str(e.strerror or e))
