"""Group commit: what came while the disk was busy goes out together, with one write and one sync.

A group is let in (conditions checked, sequences given, under the lock of all processes), written to this process's
own log, synced, told to the index, and only then answered. If anything after the first written byte fails, nothing
that follows could be trusted: the store breaks and its process must end; the next one recovers from the logs.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack

import lmdb
from msgspec.structs import force_setattr

from cloudstead.dataplane.objects.applying import Batch, Done
from cloudstead.dataplane.objects.disk import Bytes, File
from cloudstead.dataplane.objects.drafts import Draft, Record, drop_thing, mark_of
from cloudstead.dataplane.objects.driver import Broken, BucketGone, Concurrent, DiskFull
from cloudstead.dataplane.objects.files import Files
from cloudstead.dataplane.objects.format import (
    FILE_HEAD_BYTES,
    HEAD_BYTES,
    LOG_BYTES,
    Chain,
    Kind,
    Place,
    StoredEntry,
    StoredPart,
    StoredUpload,
    encode,
    end_record,
    record,
)
from cloudstead.dataplane.objects.index import Index
from cloudstead.dataplane.objects.shared import Shared
from cloudstead.dataplane.objects.tables import Txn

_RECORDS_A_GROUP = 128  # but for the last commit's excess
_EXTENTS_AT_ONCE = 400
_BYTES_A_GROUP = 4 << 20
_CONFLICT_PAUSE_S = 0.001
_CONFLICT_S = 10.0
_LOOK_AROUND_S = 0.05
_WAITING_MAX = 10_000
#: No group takes more than this of a log, heads and fields and the last commit's excess included.
GROUP_BYTES_MAX = 16 << 20
_COMMIT_BYTES_MAX = 8 << 20
#: A new log is made ready when the one in use has less than this left.
_SPARE_AT_BYTES = LOG_BYTES // 2

#: Told when a commit is over, and whether it came true.
End = Callable[[bool], None]
#: Take over from the process of a slot if it is gone; the log to go on with.
TakeOver = Callable[[int, "Log"], Awaitable["Log"]]


class Pending:
    """One commit that waits to be let in, or to be answered."""

    __slots__ = ("bucket", "drafts", "ends", "grows", "marks", "reads", "records", "size", "told", "until_s")

    def __init__(
        self, bucket: str, drafts: list[Draft], ends: Sequence[End], told: "asyncio.Future[list[Done]]"
    ) -> None:
        self.bucket = bucket
        self.drafts = drafts
        self.ends = ends
        self.told = told
        self.records = [one for draft in drafts for one in draft.records]
        self.reads = [thing for draft in drafts for thing in draft.reads]
        if bucket:
            self.reads.append(drop_thing(bucket))
        self.marks = {draft.reads_all_of for draft in drafts} - {None}
        self.size = sum(len(one.body) for one in self.records)
        self.grows = any(one.kind is not Kind.GRAVE and one.moved_from is None for one in self.records)
        self.until_s = 0.0

    def must_wait_for(self, under_way: dict[int, int]) -> bool:
        """Whether somebody is under way with what this one reads."""
        if any(thing in under_way for thing in self.reads):
            return True
        return bool(self.marks) and any(mark_of(thing) in self.marks for thing in under_way)

    def is_needless(self, txn: Txn, under_way: dict[int, int]) -> bool:
        """Whether all of it says what is so already, and nobody is under way to change that."""
        if any(one.touches in under_way for one in self.records):
            return False
        return all(
            not draft.records or (draft.is_needless is not None and draft.is_needless(txn))
            for draft in self.drafts
        )

    def answer(self, done: list[Done]) -> None:
        for end in self.ends:
            end(True)
        if not self.told.done():  # somebody still waits
            self.told.set_result(done)

    def refuse(self, why: BaseException) -> None:
        if not isinstance(why, Broken):  # for then the record may be on the disk, and come back
            for end in self.ends:
                end(False)
        if not self.told.done():
            self.told.set_exception(why)


class Committer:
    def __init__(
        self,
        files: Files,
        index: Index,
        shared: Shared,
        log: "Log",
        *,
        take_over: TakeOver,
        on_broken: Callable[[Broken], None],
    ) -> None:
        self._files = files
        self._index = index
        self._shared = shared
        self._on_broken = on_broken
        self._waiting: deque[Pending] = deque()
        self._running: asyncio.Task[None] | None = None
        self._log = log
        self._take_over = take_over
        self._looked_s = 0.0
        self._look_wanted = False
        self._spare: asyncio.Task[Log] | None = None
        self._broken: Broken | None = None

    @property
    def broken(self) -> bool:
        return self._broken is not None

    async def commit(self, bucket: str, drafts: list[Draft], ends: Sequence[End] = ()) -> list[Done]:
        """Answers what each record did. Goes through even if nobody waits for it any more."""
        told: asyncio.Future[list[Done]] = asyncio.get_running_loop().create_future()
        pending = Pending(bucket, drafts, ends, told)
        assert pending.size <= _COMMIT_BYTES_MAX
        if self._broken is not None:
            pending.refuse(self._broken)
        elif len(self._waiting) >= _WAITING_MAX:
            pending.refuse(Concurrent("too many commits wait for the disk"))
        else:
            self._waiting.append(pending)
            self._start()
        return await told

    def look_around(self) -> None:
        """Soon take over from processes that are gone, though no commit waits for what they were under way with."""
        if self._broken is None:
            self._look_wanted = True
            self._start()

    def break_down(self, why: Broken) -> None:
        if self._broken is None:
            self._broken = why
            self._on_broken(why)
        while self._waiting:
            self._waiting.popleft().refuse(why)

    async def close(self) -> None:
        """Let what waits go through, and end the log."""
        while self._running is not None:
            await asyncio.wait((self._running,))
        if self._spare is not None:
            await asyncio.wait((self._spare,))
            if self._spare.exception() is None:
                self._spare.result().seal(self._index)
        if self._broken is None:
            self._log.seal(self._index)

    # --- a group

    def _start(self) -> None:
        if self._running is None:
            self._running = asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting or self._look_wanted:
                if not await self._turn():
                    await asyncio.sleep(_CONFLICT_PAUSE_S)
        finally:
            self._running = None

    async def _turn(self) -> bool:
        """Whether anybody was let in or refused."""
        group: list[Pending] = []
        look, self._look_wanted = self._look_wanted, False
        try:
            await self._make_room()
            busy = self._let_in(group)
            if group:
                await self._write(group)
            if look or (busy and not group):
                await self._look()
        except DiskFull as e:
            for pending in group or self._take_all():
                pending.refuse(e)
            return True
        except Exception as e:  # noqa: BLE001 - nothing that follows could be trusted
            why = e if isinstance(e, Broken) else Broken(f"objects cannot be kept: {e!r}")
            for pending in group:
                pending.refuse(why)
            self.break_down(why)
            return True
        return bool(group) or not busy

    def _let_in(self, group: list[Pending]) -> bool:
        """Fill the group in order. Answers whether all that is left waits for somebody else's commit."""
        later: list[Pending] = []
        size = count = 0
        before = len(self._waiting)
        with self._shared.locked(), ExitStack() as stack:
            # Before the view of the index: whoever is no more under way then is in that view.
            under_way = self._shared.keys_under_way()
            txn = stack.enter_context(self._index.reading())
            full: DiskFull | bool | None = None  # not asked yet
            while self._waiting and count < _RECORDS_A_GROUP and size < _BYTES_A_GROUP:
                pending = self._waiting[0]
                if len(pending.records) > self._shared.room:
                    break
                self._waiting.popleft()
                if under_way and pending.must_wait_for(under_way):
                    self._postpone(pending, later)
                    continue
                if pending.grows and full is None:
                    full = self._full()
                if not self._check(pending, txn, full):
                    continue
                if pending.is_needless(txn, under_way):
                    pending.answer([None] * len(pending.records))
                    continue
                for one in pending.records:
                    if one.moved_from is None and not one.sequence:
                        one.sequence = self._shared.begin(one.touches)
                        under_way[one.touches] = self._shared.slot
                group.append(pending)
                size += pending.size
                count += len(pending.records)
        self._waiting.extendleft(reversed(later))
        return before == len(later)

    async def _look(self) -> None:
        """Whether those who are under way still live: what a killed process had begun would never end."""
        now = time.monotonic()
        if now - self._looked_s < _LOOK_AROUND_S:
            return
        self._looked_s = now
        for slot in self._shared.busy_slots():
            if slot != self._shared.slot:
                self._log = await self._take_over(slot, self._log)

    def _postpone(self, pending: Pending, later: list[Pending]) -> None:
        now = time.monotonic()
        pending.until_s = pending.until_s or now + _CONFLICT_S
        if now > pending.until_s:
            pending.refuse(Concurrent("another commit on the same key does not end"))
        else:
            later.append(pending)

    def _full(self) -> DiskFull | bool:
        """Asked once a group: False if there is room."""
        try:
            self._files.check_room()
        except DiskFull as e:
            return e
        return False

    def _check(self, pending: Pending, txn: Txn, full: DiskFull | bool | None) -> bool:
        try:
            if pending.grows and isinstance(full, DiskFull):
                raise DiskFull(*full.args)
            if pending.bucket and self._index.is_dropped(txn, pending.bucket):
                raise BucketGone(pending.bucket)
            for draft in pending.drafts:
                if draft.check is not None:
                    draft.check(txn)
        except lmdb.Error:
            raise
        except Exception as e:  # noqa: BLE001 - whatever it is, it is the answer
            pending.refuse(e)
            return False
        return True

    async def _write(self, group: list[Pending]) -> None:
        log = self._log
        start, buffers = log.end, list[Bytes]()
        for pending in group:
            for one, chain in zip(pending.records, _chains(pending.records), strict=True):
                log.add(one, buffers, chain if buffers else chain | Chain.AFTER_SYNC)
        log.file.write(start, buffers)
        await log.file.sync()
        extents = sum(one.extents for pending in group for one in pending.records)
        if extents > _EXTENTS_AT_ONCE:  # as many as some ten thousand: the loop must go on meanwhile
            done = await asyncio.to_thread(self._tell, group)
        else:
            done = self._tell(group)
        for pending, did in zip(group, done, strict=True):
            for one in pending.records:
                if one.moved_from is None:
                    self._shared.end(one.sequence)
            pending.answer(did)

    def _tell(self, group: list[Pending]) -> list[list[Done]]:
        """Tell the index what is in the log now."""
        with self._index.writing() as txn:
            batch = Batch(self._index, txn, self._shared.sequence)
            done = [[_apply(batch, one) for one in pending.records] for pending in group]
            file = self._index.file(txn, self._log.number)
            assert file is not None
            file.end = self._log.end
            self._index.put_file(txn, self._log.number, file)
            batch.flush()
        return done

    # --- logs

    async def _make_room(self) -> None:
        """Take a new log in good time. Raises DiskFull."""
        left = LOG_BYTES - self._log.end
        if left < _SPARE_AT_BYTES and self._spare is None:
            self._spare = asyncio.ensure_future(self._make_log())
            self._spare.add_done_callback(_seen)
        if left < GROUP_BYTES_MAX and self._spare is not None:
            spare, self._spare = self._spare, None
            new = await spare
            self._log.seal(self._index)
            self._log = new

    async def _make_log(self) -> "Log":
        number, file, salt = await self._files.make(extents=False)
        return Log(number, file, salt)

    def _take_all(self) -> list[Pending]:
        all = list(self._waiting)
        self._waiting.clear()
        return all


class Log:
    """The log that this process writes."""

    def __init__(self, number: int, file: File, salt: int) -> None:
        self.number = number
        self.file = file
        self.salt = salt
        self.end = FILE_HEAD_BYTES

    def seal(self, index: Index) -> None:
        """No more records into it; it ends where they end."""
        self.file.write(self.end, (end_record(self.salt),))
        self.file.truncate(self.end + HEAD_BYTES)
        with index.writing() as txn:
            row = index.file(txn, self.number)
            assert row is not None
            row.sealed, row.end = True, self.end
            index.put_file(txn, self.number, row)

    def add(self, one: Record, buffers: list[Bytes], chain: Chain) -> None:
        one.fields = one.make(one.sequence)
        one.encoded = one.encoded or encode(one.fields)
        head = record(
            self.salt, one.kind, chain, one.encoded, body_length=len(one.body), sequence=one.sequence
        )
        buffers.append(head)
        if one.body:
            buffers.append(one.body)
        one.place = Place(self.number, self.end, len(head) + len(one.body))
        self.end += one.place.length


def _chains(records: list[Record]) -> Iterator[Chain]:
    if len(records) == 1:
        yield Chain.NONE
        return
    last = len(records) - 1
    for at, one in enumerate(records):
        if one.moved_from is not None:  # each for itself: it is true already
            yield Chain.NONE
        else:
            yield (Chain.CONTINUES if at else Chain.NONE) | (Chain.MORE if at < last else Chain.NONE)


def _seen(task: "asyncio.Task[Log]") -> None:
    """Should it have failed, whoever needs the log is told."""
    if not task.cancelled():
        task.exception()


def _apply(batch: Batch, one: Record) -> Done:
    if one.moved_from is not None:
        batch.move(one.fields, one.encoded, one.moved_from, one.place)
        return None
    done = batch.apply(one.fields, one.encoded, one.place)
    if done is None and isinstance(one.fields, StoredEntry | StoredUpload | StoredPart):
        done = one.fields  # true for a moment, until what came after it, and was told before it
    if isinstance(done, StoredEntry) and done is one.fields:
        force_setattr(done, "place", one.place)
    return done
