"""What all operations share: finding zones, and telling name servers of a change."""

import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.route53.errors import no_such_zone
from cloudstead.services.route53.rows import Change, FeedEnd, HostedZone, Touched
from cloudstead.store import Store

#: How many changes are remembered; a name server that is further behind is told everything.
CHANGES_KEPT = 10_000

_ID = string.ascii_uppercase + string.digits
_ID_LENGTH = 20


@dataclass(frozen=True)
class Directory:
    store: Store
    tools: Tools
    #: The account of a VPC, by its region and id; None if there is none.
    network_owner: Callable[[str, str], str | None] = field(default=lambda _region, _id: None)
    #: The number that all name servers have reached.
    acknowledged: Callable[[], int] = field(default=lambda: 0)

    def new_id(self, first: str) -> str:
        return first + ids.token(self.tools.random, _ID, _ID_LENGTH)

    def zone(self, caller: Caller, id: str) -> HostedZone:
        """The caller's zone of this id, with or without its path."""
        found = self.any_zone(id)
        if found is None or found.account != caller.account:
            raise no_such_zone(bare(id))
        return found

    def any_zone(self, id: str) -> HostedZone | None:
        return self.store.get(HostedZone, bare(id))

    def zones(self, caller: Caller) -> list[HostedZone]:
        return self.store.rows(HostedZone, account=caller.account)

    def changed(self, account: str, touched: Iterable[Touched], comment: str | None = None) -> Change:
        """Note what was written in this transaction, so that name servers look at it."""
        store = self.store
        with store.transaction():
            end = store.get(FeedEnd, "feed") or store.insert(FeedEnd(id="feed", number=0))
            number = end.number + 1
            store.update(end, number=number)
            change = store.insert(
                Change(
                    id=self.new_id("C"),
                    account=account,
                    number=number,
                    submitted_at=self.tools.clock.now(),
                    touched=tuple(touched),
                    comment=comment,
                )
            )
            for old in store.rows(Change, number=number - CHANGES_KEPT):
                store.delete(old)
        return change

    def change_info(self, change: Change) -> dict[str, Any]:
        info = {
            "Id": f"/change/{change.id}",
            "Status": "INSYNC" if self.acknowledged() >= change.number else "PENDING",
            "SubmittedAt": change.submitted_at,
        }
        return info if change.comment is None else {**info, "Comment": change.comment}


def bare(id: str) -> str:
    """An id without the path that answers show it with: `/hostedzone/Z1` -> `Z1`."""
    return id.rpartition("/")[2]
