"""The bus that a bucket's events go out on, and how another service takes them from it.

The bus is the `Event` rows, oldest first, each for one destination. A service that carries them on asks `waiting` for
its own, delivers them and says `taken` of each; who dies in between is told again, so every event comes at least once,
as at AWS. A controller whose `kind` is Event is woken when there are new ones.

What a reader would get wrong: the object is on the disk when its event is made, so nothing that happens here may fail
the request. An event that the store does not take waits in memory and is tried again, the newest 1000 of a process.
"""

import asyncio
import logging
from collections import deque

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects.driver import Entry
from cloudstead.services.s3 import events, objects_meta
from cloudstead.services.s3.events import EVENTBRIDGE, Happened
from cloudstead.services.s3.rows import Bucket, Event
from cloudstead.store import Store
from cloudstead.store.sqlite import Unavailable

log = logging.getLogger(__name__)

RETRY_S = 1.0
WAITING_MAX = 1000


class Announcing:
    """Events of objects, on their way to whom a bucket's configuration names."""

    def __init__(self, store: Store, tools: Tools) -> None:
        self._store = store
        self._tools = tools
        self._waiting: deque[Event] = deque(maxlen=WAITING_MAX)
        self._retry: asyncio.TimerHandle | None = None

    def __call__(self, bucket: Bucket, caller: Caller, event: str, entry: Entry) -> None:
        if bucket.notification is None:
            return
        there = "ObjectRemoved" not in event and "Expiration" not in event
        happened = Happened(
            name=event.removeprefix("s3:"),
            key=entry.key,
            sequence=entry.revision,
            size=objects_meta.of(entry).size if there else None,
            etag=entry.etag if there else "",
            version_id=entry.version_id if bucket.versioning else "",
        )
        made = events.events_of(self._tools, caller, bucket, happened)
        if made:
            self._waiting.extend(made)
            self._put()

    def _put(self) -> None:
        """Everything that waits, in the order it happened; later, if the store takes nothing now."""
        try:
            events.keep(self._store, self._waiting)
        except Unavailable as e:
            if self._retry is None:
                log.warning("%d events wait: %s", len(self._waiting), e)
            self._put_later()
            return
        self._waiting.clear()

    def _put_later(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # nobody to wake us: the next event does
            return
        self._retry = loop.call_later(RETRY_S, self._put_again)

    def _put_again(self) -> None:
        self._retry = None
        self._put()


# --- for those that carry them on


def waiting(store: Store, service: str) -> list[Event]:
    """What is for destinations of `sqs`, `sns`, `lambda` or `eventbridge`, oldest first."""
    if service == EVENTBRIDGE:
        return store.rows(Event, destination=EVENTBRIDGE)
    return [event for event in store.rows(Event) if event.destination.split(":")[2:3] == [service]]


def taken(store: Store, event: Event) -> None:
    """It has been delivered. Safe to repeat."""
    with store.transaction():
        there = store.get(Event, event.id)
        if there is not None:
            store.delete(there)
