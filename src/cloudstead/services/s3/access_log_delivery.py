"""Access logs on their way: lines wait in memory and go into the target bucket as objects, once a minute.

Best effort, and AWS promises no more: what waits in a process that dies is lost, and so is what no target takes. The
request that a line is about never waits for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cloudstead.core.arn import arn
from cloudstead.core.caller import Caller
from cloudstead.core.errors import Conflict, DriverError, ServiceError
from cloudstead.core.tools import Tools
from cloudstead.services.s3.access_logs import Served, key_of, line, place_of
from cloudstead.services.s3.rows import Bucket
from cloudstead.store import Store

log = logging.getLogger(__name__)

EVERY_S = 60.0
BYTES_WAITING_MAX = 8 << 20

#: S3's own PutObject, which may answer at once or later.
Put = Callable[[Caller, dict[str, Any]], Any]


@dataclass(slots=True)
class _Waiting:
    first_at: datetime
    lines: list[str] = field(default_factory=list)


class Deliveries:
    """Those of one process."""

    def __init__(self, store: Store, tools: Tools, put: Put) -> None:
        self._store = store
        self._tools = tools
        self._put = put
        self._waiting: dict[str, _Waiting] = {}  # by the bucket that is logged
        self._waiting_bytes = 0
        self._lost = 0
        self._task: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()

    def note(self, bucket: Bucket, caller: Caller, served: Served) -> None:
        """Let a request be logged. Called inside the event loop."""
        written = line(bucket, caller, served)
        if self._waiting_bytes + len(written) > BYTES_WAITING_MAX:
            self._lost += 1
            return
        self._waiting.setdefault(bucket.name, _Waiting(served.at)).lines.append(written)
        self._waiting_bytes += len(written)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._deliver_all())

    async def close(self) -> None:
        """Deliver what waits."""
        self._ending.set()
        if self._task is not None:
            await self._task

    async def _deliver_waiting(self) -> None:
        if self._lost:
            log.warning("access logs: %d lines were too many to wait", self._lost)
        waiting, self._waiting = self._waiting, {}
        self._waiting_bytes, self._lost = 0, 0
        for name, lines in waiting.items():
            try:
                await self._deliver(name, lines)
            except (ServiceError, Conflict, DriverError) as e:
                log.warning("%s: %d lines of its access log were not taken: %s", name, len(lines.lines), e)

    async def _deliver_all(self) -> None:
        while self._waiting:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), EVERY_S)
            await self._deliver_waiting()
        self._task = None

    async def _deliver(self, name: str, waiting: _Waiting) -> None:
        bucket = self._store.get(Bucket, name)
        target = place_of(self._store, bucket) if bucket is not None else None
        if bucket is None or target is None:
            return
        key = key_of(bucket, waiting.first_at, self._tools.clock.now(), self._tools.random)
        request = {
            "Bucket": target.name,
            "Key": key,
            "Body": "".join(waiting.lines).encode(),
            "ContentType": "text/plain",
        }
        answer = self._put(_as_owner(target), request)
        if isinstance(answer, Coroutine):
            await answer


def _as_owner(target: Bucket) -> Caller:
    """Log delivery writes for the target's owner, who owns what it wrote."""
    root = arn("iam", "root", account=target.account)
    return Caller(account=target.account, region=target.region, arn=root, user_id=target.account)
