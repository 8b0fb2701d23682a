"""What a bucket's access log is told of a request: once its answer has been sent, for only then is it known how long that took."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime

from cloudstead.core.clock import Clock
from cloudstead.core.streams import HttpFacts
from cloudstead.dataplane.http import HttpResponse
from cloudstead.gateway.buckets import Buckets
from cloudstead.gateway.exchange import Exchange, served


def log(buckets: Buckets, bucket: str, exchange: Exchange, response: HttpResponse, clock: Clock) -> None:
    """Let the request stand in the bucket's log; one whose answer is streamed, when that ends, however it does."""
    at = clock.now()
    if response.stream is None:
        _tell(buckets, bucket, exchange, response, at)(len(response.body))
    else:
        response.stream = _counted(response.stream, _tell(buckets, bucket, exchange, response, at))


def _tell(
    buckets: Buckets, bucket: str, exchange: Exchange, response: HttpResponse, at: datetime
) -> Callable[[int], None]:
    facts = exchange.request.get("_Http") if hasattr(exchange, "request") else None
    known = replace(
        served(exchange, response),
        answer={name.lower(): value for name, value in response.headers},
        came_at=facts.at if isinstance(facts, HttpFacts) else None,
        answered_at=at,
        streamed=exchange.content is not None,
        tls=exchange.http.tls,
    )
    return lambda sent: buckets.log(bucket, replace(known, bytes_sent=sent))


async def _counted(chunks: AsyncIterator[bytes], done: Callable[[int], None]) -> AsyncIterator[bytes]:
    """The same chunks; and at their end, or when nobody wants more, how many bytes they were."""
    sent = 0
    try:
        async for chunk in chunks:
            yield chunk
            sent += len(chunk)
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
        done(sent)
