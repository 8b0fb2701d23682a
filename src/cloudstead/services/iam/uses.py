"""When keys were last used, to a quarter of an hour: a request costs a look in a dictionary, not a write."""

from contextlib import suppress

from cloudstead.core.caller import Caller
from cloudstead.core.clock import Clock
from cloudstead.services.iam.model import AccessKey, KeyUse
from cloudstead.store import Store, Unavailable

_EVERY_S = 900.0
_KEYS_REMEMBERED_MAX = 10_000


class KeyUses:
    """Ask it to `note` each request whose signature was good. Best effort: a crash may lose the last note."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted_at: dict[str, float] = {}

    def note(self, caller: Caller, service: str) -> None:
        now = self._clock.monotonic()
        last = self._noted_at.get(caller.access_key_id)
        if last is not None and now - last < _EVERY_S:
            return
        if len(self._noted_at) >= _KEYS_REMEMBERED_MAX:
            self._noted_at.clear()
        self._noted_at[caller.access_key_id] = now
        with suppress(Unavailable):  # who only reads is let to, though the disk be full
            self._write(caller, service)

    def _write(self, caller: Caller, service: str) -> None:
        with self._store.transaction():
            if self._store.get(AccessKey, caller.access_key_id) is None:
                return
            at = self._clock.now().replace(second=0, microsecond=0)
            known = self._store.get(KeyUse, caller.access_key_id)
            if known is None:
                self._store.insert(
                    KeyUse(id=caller.access_key_id, at=at, service=service, region=caller.region)
                )
            else:
                self._store.update(known, at=at, service=service, region=caller.region)
