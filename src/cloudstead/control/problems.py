"""What stands in the way of a row: kept in the store, so that `cloudstead status` can say it."""

from datetime import datetime

from cloudstead.store import Row


class Problem(Row, frozen=True, kw_only=True):
    """The latest reason why a row's step could not be taken. `id` is the row's. Gone once a step succeeds."""

    kind: str
    text: str
    since: datetime
