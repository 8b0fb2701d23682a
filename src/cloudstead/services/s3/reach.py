"""Bodies may lie on other machines, and those may be away: whoever asks is told to try again, as SDKs do."""

from collections.abc import Iterator
from contextlib import contextmanager

from cloudstead.dataplane.objects.driver import Unreachable
from cloudstead.services.s3.errors import S3Error


@contextmanager
def within_reach() -> Iterator[None]:
    try:
        yield
    except Unreachable as e:
        raise S3Error(
            "The machines that keep the bytes of objects do not answer. Please try again.",
            code="ServiceUnavailable",
            status=503,
        ) from e
