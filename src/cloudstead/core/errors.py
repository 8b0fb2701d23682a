"""The three kinds of error, and no more.

ServiceError    the caller's fault, or something that cannot be met: AWS's code, status and wording
DriverError     the world said no, for now; the next pass of the reconciler tries again
Conflict        a compare-and-swap lost its race

A programmer's mistake is an `assert` or a crash; it is never caught to carry on.
"""

from collections.abc import Mapping


class ServiceError(Exception):
    """An answer AWS models as an error.

    `code` is the wire code (`InvalidInstanceID.NotFound`), `status` the HTTP status, `fields` further members
    of the modelled error shape, `headers` what S3 says beside an error and models nowhere.
    Each service's errors.py opens the list of its own.
    """

    code: str = "InternalFailure"
    status: int = 400

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        fields: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if status is not None:
            self.status = status
        self.fields: Mapping[str, object] = fields or {}
        self.headers: Mapping[str, str] = headers or {}

    @property
    def fault(self) -> str:
        """Whose fault it is, in the query protocol's words: `Sender` or `Receiver`."""
        return "Receiver" if self.status >= 500 else "Sender"


class NotBuilt(ServiceError):
    """Something AWS has and Cloudstead has not: said aloud, never invented."""

    code = "NotImplemented"
    status = 501


class DriverError(Exception):
    """The world said no, for now. Callers of AWS never see its text; the log and `cloudstead status` do."""


class Conflict(Exception):
    """The row changed since it was read. Look again and decide again."""
