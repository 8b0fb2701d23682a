"""What every store of objects promises, tried on the fake, and on the engine with its bodies here or on volume servers."""

import asyncio
import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.seaweed import FakeCluster

from cloudstead.dataplane.objects import driver as d
from cloudstead.dataplane.objects.engine import open_objects
from cloudstead.dataplane.objects.fake import FakeObjects
from cloudstead.dataplane.objects.volumes.cluster import ClusterSettings

B = "bucket"
_SIZES = (0, 1, 4096, (128 << 10), (128 << 10) + 1, 300_000, (1 << 20) + 7, 3_000_001)


def broken(why):
    raise AssertionError(why)


@contextlib.asynccontextmanager
async def opened(kind, folder):
    if kind == "fake":
        yield FakeObjects()
    elif kind == "engine":
        yield await open_objects(folder, on_broken=broken)
    else:
        async with FakeCluster().running() as cluster:
            settings = ClusterSettings(masters=(cluster.master,))
            yield await open_objects(folder, on_broken=broken, cluster=settings)


@pytest.fixture(params=["fake", "engine", "volumes"])
def world(request, tmp_path):
    """Runs a test's coroutine with a store."""

    def run(test, **more):
        asyncio.run(_tried(request.param, tmp_path, test, more))

    return run


async def _tried(kind, folder, test, more):
    async with opened(kind, folder) as store:
        try:
            await test(store, **more)
            checked = await store.fsck()
            assert checked.damage == []
            scrubbed = await store.scrub()
            assert (scrubbed.damage, scrubbed.versions) == ([], checked.versions)
        finally:
            await store.close()


async def body(store, data, size_hint=None, step=70_000):
    writer = store.writer(B, size_hint)
    for at in range(0, len(data), step):
        await writer.write(data[at : at + step])
    return await writer.close()


async def put(store, key, data=b"x", *, version_id=d.NULL, meta=b"m", conditions=(), bucket=B):
    change = d.Put(
        key=key,
        version_id=version_id,
        modified_ms=5,
        etag=f"e-{len(data)}",
        meta=meta,
        body=await body(store, data),
    )
    (entry,) = await store.commit(bucket, [change], conditions)
    return entry


async def delete(store, key, version_id=d.NULL):
    (gone,) = await store.commit(B, [d.Delete(key=key, version_id=version_id)])
    return gone


async def read(store, entry, start=0, end=None):
    return b"".join([chunk async for chunk in store.read(entry, start, end)])


async def begin(store, key="k", upload_id="u1"):
    await store.commit(B, [d.BeginUpload(key=key, upload_id=upload_id, modified_ms=1, meta=b"up")])


async def put_part(store, number, data, key="k", upload_id="u1", blob=None):
    blob = blob or await body(store, data)
    change = d.PutPart(
        key=key, upload_id=upload_id, number=number, modified_ms=2, etag=f"p{number}", meta=b"pm", body=blob
    )
    (part,) = await store.commit(B, [change])
    return part


def completed(parts, key="k", upload_id="u1", version_id=d.NULL):
    return d.Complete(
        key=key,
        upload_id=upload_id,
        parts=tuple((part.number, part.revision) for part in parts),
        version_id=version_id,
        modified_ms=9,
        etag="done-2",
        meta=b"cm",
    )


def keys(page):
    return [entry.key for entry in page.entries]


@pytest.mark.parametrize("hinted", [True, False])
def test_a_body_of_any_size_comes_back_whole_and_in_ranges(world, hinted):
    async def test(store):
        for size in _SIZES:
            data = os.urandom(size)
            blob = await body(store, data, size if hinted else None)
            assert blob.size == size
            change = d.Put(key=f"k{size}", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
            (entry,) = await store.commit(B, [change])
            assert entry.size == size
            assert await read(store, entry) == data
            assert await read(store, store.get(B, f"k{size}")) == data
            for start, end in ((0, 1), (1, 70_000), (65_536, 65_537), (65_535, 131_073), (size // 2, None)):
                assert await read(store, entry, start, end) == data[start:end]
            if size <= d.WHOLE_BYTES_MAX:
                assert await store.read_whole(entry) == data
        blob = store.small(b"small")
        change = d.Put(key="small", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
        await store.commit(B, [change])
        assert await store.read_whole(store.get(B, "small")) == b"small"

    world(test)


def test_a_wrong_size_hint_does_no_harm(world):
    async def test(store):
        data = os.urandom(1_500_001)
        for n, hint in enumerate((1, 200_001, 5_000_000)):
            blob = await body(store, data, hint, step=100_001)
            change = d.Put(key=f"k{n}", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
            (entry,) = await store.commit(B, [change])
            assert await read(store, entry) == data

    world(test)


def test_what_was_never_committed_is_not_there(world):
    async def test(store):
        writer = store.writer(B)
        await writer.write(os.urandom(2 << 20))
        writer.discard()
        writer.discard()
        blob = await body(store, os.urandom(2 << 20))
        store.discard(blob)
        store.discard(blob)
        assert store.list_objects(B) == d.Page(entries=[], prefixes=[], next=None)
        assert store.usage(B) == d.Usage(versions=0, bytes=0, uploads=0)

    world(test)


def test_the_null_version_is_replaced_and_goes(world):
    async def test(store):
        await put(store, "k", b"one")
        second = await put(store, "k", b"other")
        assert store.get(B, "k") == store.get(B, "k", d.NULL)
        assert store.get(B, "k").sequence == second.sequence
        assert await read(store, store.get(B, "k")) == b"other"
        assert store.usage(B) == d.Usage(versions=1, bytes=5, uploads=0)
        gone = await delete(store, "k")
        assert gone.etag == "e-5"
        assert await delete(store, "k") is None
        assert store.get(B, "k") is None
        assert store.usage(B) == d.Usage(versions=0, bytes=0, uploads=0)
        await put(store, "k", b"again")
        assert await read(store, store.get(B, "k")) == b"again"

    world(test)


def test_versions_stand_newest_first_and_the_next_is_promoted(world):
    async def test(store):
        await put(store, "k", b"0")
        for n in (1, 2, 3):
            await put(store, "k", b"x" * n, version_id=f"v{n}")
        await store.commit(B, [d.PutMarker(key="k", version_id="m", modified_ms=7)])
        assert store.get(B, "k").delete_marker
        assert store.list_objects(B).entries == []
        page = store.list_versions(B)
        assert [one.entry.version_id for one in page.versions] == ["m", "v3", "v2", "v1", d.NULL]
        assert [one.is_latest for one in page.versions] == [True, False, False, False, False]
        assert (await delete(store, "k", "m")).delete_marker
        assert store.get(B, "k").version_id == "v3"
        assert (await delete(store, "k", "v2")).size == 2
        assert store.get(B, "k", "v2") is None
        assert await read(store, store.get(B, "k", "v1")) == b"x"
        await put(store, "k", b"null again")
        page = store.list_versions(B)
        assert [one.entry.version_id for one in page.versions] == [d.NULL, "v3", "v1"]
        for version_id in (d.NULL, "v1", "v3"):
            await delete(store, "k", version_id)
        assert store.get(B, "k") is None
        assert store.list_versions(B).versions == []

    world(test)


def test_metadata_change_in_their_place_and_only_if_nobody_else_changed_them(world):
    async def test(store):
        for data in (b"small", os.urandom(500_000)):
            await put(store, "k", data, version_id="v1")
            await put(store, "k", b"newer", version_id="v2")
            before = store.get(B, "k", "v1")
            change = d.SetMeta(key="k", version_id="v1", meta=b"new", revision=before.revision)
            (entry,) = await store.commit(B, [change])
            assert (entry.meta, entry.sequence) == (b"new", before.sequence)
            assert entry.revision > before.revision
            assert store.get(B, "k").version_id == "v2"
            assert await read(store, store.get(B, "k", "v1")) == data
            with pytest.raises(d.Changed):
                await store.commit(B, [change])
            await store.commit(B, [d.SetMeta(key="k", version_id="v1", meta=b"blind")])
            assert store.get(B, "k", "v1").meta == b"blind"
            with pytest.raises(d.NoSuchVersion):
                await store.commit(B, [d.SetMeta(key="k", version_id="v9", meta=b"")])
            await delete(store, "k", "v1")
            await delete(store, "k", "v2")

    world(test)


def test_conditions_hold_at_the_moment_of_the_commit(world):
    async def test(store):
        first = await put(store, "k", b"one", conditions=[d.Absent(key="k")])
        with pytest.raises(d.ConditionFailed) as e:
            await put(store, "k", b"three", conditions=[d.Absent(key="k")])
        assert e.value.entry.etag == "e-3"
        with pytest.raises(d.ConditionFailed):
            await put(store, "k", b"three", conditions=[d.CurrentIs(key="k", etag="other")])
        with pytest.raises(d.ConditionFailed) as e:
            await put(store, "none", b"three", conditions=[d.CurrentIs(key="none")])
        assert e.value.entry is None
        await put(store, "k", b"four", conditions=[d.CurrentIs(key="k", etag="e-3", size=3, modified_ms=5)])
        with pytest.raises(d.ConditionFailed):
            await put(store, "k", conditions=[d.CurrentIs(key="k", size=3)])
        with pytest.raises(d.ConditionFailed):
            await put(
                store, "k", conditions=[d.RevisionIs(key="k", version_id=d.NULL, revision=first.revision)]
            )
        with pytest.raises(d.ConditionFailed):
            await put(store, "k", conditions=[d.NewestIs(key="k", version_id=None)])
        await put(store, "k2", conditions=[d.NewestIs(key="k2", version_id=None), d.CurrentIs(key="k")])
        await store.commit(B, [d.PutMarker(key="k", version_id="m", modified_ms=7)])
        with pytest.raises(d.ConditionFailed) as e:
            await put(store, "k", conditions=[d.CurrentIs(key="k")])
        assert e.value.entry is None
        await put(store, "k", b"over the marker", version_id="v", conditions=[d.Absent(key="k")])
        assert store.usage(B).versions == 4

    world(test)


def test_of_many_who_want_to_be_first_one_is(world):
    async def test(store):
        tries = [put(store, "k", b"x" * n, conditions=[d.Absent(key="k")]) for n in range(1, 30)]
        answers = await asyncio.gather(*tries, return_exceptions=True)
        won = [one for one in answers if isinstance(one, d.Entry)]
        assert len(won) == 1
        assert all(isinstance(one, d.Entry | d.ConditionFailed) for one in answers)
        assert store.get(B, "k").etag == won[0].etag

    world(test)


def test_changes_of_one_commit_come_together_or_not_at_all(world):
    async def test(store):
        await put(store, "a", b"abc")
        blob = await store.share(store.get(B, "a"))
        moved = d.Put(key="b", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
        with pytest.raises(d.NoSuchVersion):
            blob2 = await store.share(store.get(B, "a"))
            other = d.Put(key="c", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob2)
            await store.commit(B, [other, d.SetMeta(key="none", version_id=d.NULL, meta=b"")])
        assert store.get(B, "c") is None
        new, gone = await store.commit(B, [moved, d.Delete(key="a", version_id=d.NULL)])
        assert (new.key, gone.key) == ("b", "a")
        assert await read(store, store.get(B, "b")) == b"abc"
        assert keys(store.list_objects(B)) == ["b"]

    world(test)


def test_an_object_of_parts_gets_another_key_in_one_step_and_stays_one(world):
    async def test(store):
        data = [os.urandom(200_000), b"small"]
        (upload,) = await store.commit(B, [d.BeginUpload(key="old", upload_id="u", modified_ms=1, meta=b"")])
        parts = []
        for number, each in enumerate(data, 1):
            part = d.PutPart(
                key="old",
                upload_id="u",
                number=number,
                modified_ms=1,
                etag="",
                meta=b"",
                body=await body(store, each),
            )
            (made,) = await store.commit(B, [part])
            parts.append((number, made.revision))
        whole = d.Complete(
            key="old",
            upload_id=upload.upload_id,
            parts=tuple(parts),
            version_id=d.NULL,
            modified_ms=1,
            etag="e",
            meta=b"",
        )
        (old,) = await store.commit(B, [whole])
        put = d.Put(
            key="new",
            version_id=d.NULL,
            modified_ms=1,
            etag="e",
            meta=b"",
            body=await store.share(old),
            parts=tuple(store.parts(old)),
        )
        unchanged = d.RevisionIs(key="old", version_id=d.NULL, revision=old.revision)
        new, _ = await store.commit(B, [put, d.Delete(key="old", version_id=d.NULL)], [unchanged])
        assert store.get(B, "old") is None
        assert [part.size for part in store.parts(new)] == [200_000, 5]
        assert (new.parts_count, await store.read_whole(new)) == (2, b"".join(data))

    world(test)


@pytest.mark.parametrize("size", [1000, 400_000])
def test_a_copy_outlives_what_it_was_copied_from(world, size):
    async def test(store):
        data = os.urandom(size)
        source = await put(store, "source", data)
        for key, start, end in (("copy", 0, None), ("part", 100, 900)):
            blob = await store.share(source, start, end)
            change = d.Put(key=key, version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=blob)
            await store.commit("other", [change])
        store.discard(await store.share(source))
        await delete(store, "source")
        with pytest.raises(d.NoSuchVersion):
            await store.share(source)
        with pytest.raises(d.NoSuchVersion):
            await read(store, source)
        with contextlib.suppress(AttributeError):
            await store.tend_once()
        assert await read(store, store.get("other", "copy")) == data
        assert await read(store, store.get("other", "part")) == data[100:900]

    world(test)


def test_an_upload_becomes_an_object_of_the_parts_chosen(world):
    async def test(store):
        await begin(store)
        pieces = {1: os.urandom(700_000), 2: b"small", 5: os.urandom(200_000)}
        parts = {n: await put_part(store, n, data) for n, data in pieces.items()}
        await put_part(store, 3, os.urandom(150_000))
        parts[2] = await put_part(store, 2, b"put again")
        pieces[2] = b"put again"
        listed = store.list_parts(B, "k", "u1")
        assert [(part.number, part.size, part.meta) for part in listed.parts] == [
            (1, 700_000, b"pm"),
            (2, 9, b"pm"),
            (3, 150_000, b"pm"),
            (5, 200_000, b"pm"),
        ]
        assert store.usage(B) == d.Usage(versions=0, bytes=0, uploads=1)
        (entry,) = await store.commit(B, [completed([parts[1], parts[2], parts[5]])])
        whole = pieces[1] + pieces[2] + pieces[5]
        assert (entry.size, entry.parts_count, entry.etag) == (len(whole), 3, "done-2")
        assert await read(store, store.get(B, "k")) == whole
        assert await read(store, store.get(B, "k"), 699_990, 700_020) == whole[699_990:700_020]
        assert store.parts(entry) == [
            d.PartSize(number=1, size=700_000),
            d.PartSize(number=2, size=9),
            d.PartSize(number=5, size=200_000),
        ]
        assert store.upload(B, "k", "u1") is None
        assert store.usage(B) == d.Usage(versions=1, bytes=len(whole), uploads=0)
        blob = await store.share(entry, 600_000, 800_000)
        await begin(store, "copied", "u2")
        part = await put_part(store, 1, b"", key="copied", upload_id="u2", blob=blob)
        again = await put_part(store, 2, b"end", key="copied", upload_id="u2")
        await store.commit(B, [completed([part, again], key="copied", upload_id="u2")])
        await delete(store, "k")
        assert await read(store, store.get(B, "copied")) == whole[600_000:800_000] + b"end"

    world(test)


def test_an_upload_of_many_small_parts_is_gathered(world):
    async def test(store):
        await begin(store)
        pieces = [os.urandom(100_000) for _ in range(15)]
        parts = [await put_part(store, n + 1, data) for n, data in enumerate(pieces)]
        await store.commit(B, [completed(parts)])
        assert await read(store, store.get(B, "k")) == b"".join(pieces)

    world(test)


def test_an_upload_that_is_over_takes_nothing_more(world):
    async def test(store):
        with pytest.raises(d.NoSuchUpload):
            await put_part(store, 1, b"x")
        await begin(store)
        part = await put_part(store, 1, os.urandom(300_000))
        newer = await put_part(store, 1, b"newer")
        with pytest.raises(d.NoSuchPart) as e:
            await store.commit(B, [completed([part])])
        assert e.value.number == 1
        await store.commit(B, [d.Abort(key="k", upload_id="u1")])
        for change in (completed([newer]), d.Abort(key="k", upload_id="u1")):
            with pytest.raises(d.NoSuchUpload):
                await store.commit(B, [change])
        with pytest.raises(d.NoSuchUpload):
            await put_part(store, 2, b"x")
        with pytest.raises(d.NoSuchUpload):
            store.list_parts(B, "k", "u1")
        assert store.usage(B) == d.Usage(versions=0, bytes=0, uploads=0)

    world(test)


def test_parts_are_listed_in_pages(world):
    async def test(store):
        await begin(store)
        for number in (3, 1, 200, 10_000):
            await put_part(store, number, b"x")
        page = store.list_parts(B, "k", "u1", limit=2)
        assert ([part.number for part in page.parts], page.next) == ([1, 3], 3)
        page = store.list_parts(B, "k", "u1", after=3, limit=2)
        assert ([part.number for part in page.parts], page.next) == ([200, 10_000], None)

    world(test)


def test_uploads_are_listed_by_key_and_age(world):
    async def test(store):
        for key, upload_id in (("b", "u2"), ("a/1", "u1"), ("b", "u9"), ("b", "u1x"), ("a/2", "u3")):
            await begin(store, key, upload_id)
        page = store.list_uploads(B)
        assert [(one.key, one.upload_id) for one in page.uploads] == [
            ("a/1", "u1"),
            ("a/2", "u3"),
            ("b", "u2"),
            ("b", "u9"),
            ("b", "u1x"),
        ]
        page = store.list_uploads(B, delimiter="/", limit=2)
        assert (page.prefixes, [one.upload_id for one in page.uploads]) == (["a/"], ["u2"])
        assert page.next == ("b", "u2")
        page = store.list_uploads(B, delimiter="/", after=page.next)
        assert [one.upload_id for one in page.uploads] == ["u9", "u1x"]
        assert store.list_uploads(B, prefix="c").uploads == []

    world(test)


def test_a_bucket_that_was_dropped_is_empty_and_stays_so(world):
    async def test(store):
        for n in range(120):
            await put(store, f"k{n % 60}", b"x" * n, version_id=f"v{n}")
        await put(store, "y" * 1000, os.urandom(300_000))
        await put(store, "kept", b"kept", bucket="other")
        await begin(store)
        await put_part(store, 1, os.urandom(200_000))
        for _ in range(2):
            await store.drop_bucket(B)
        assert store.list_versions(B).versions == []
        assert store.list_uploads(B).uploads == []
        assert store.usage(B) == d.Usage(versions=0, bytes=0, uploads=0)
        with pytest.raises(d.BucketGone):
            await put(store, "k")
        assert await read(store, store.get("other", "kept")) == b"kept"

    world(test)


def test_a_bucket_is_dropped_only_while_it_is_empty_if_asked(world):
    async def test(store):
        await store.commit(B, [d.PutMarker(key="k", version_id="v1", modified_ms=1)])
        with pytest.raises(d.NotEmpty):
            await store.drop_bucket(B, if_empty=True)
        await store.commit(B, [d.Delete(key="k", version_id="v1")])
        await store.drop_bucket(B, if_empty=True)
        await store.drop_bucket(B, if_empty=True)
        with pytest.raises(d.BucketGone):
            await put(store, "k")

    world(test)


def test_a_put_that_meets_the_end_of_its_bucket_is_refused_or_in_its_way(world):
    async def test(store):
        for n in range(60):
            bucket = f"bucket-{n}"
            puts = [put(store, f"k{i}", b"x", bucket=bucket) for i in range(n % 4)]
            ends = [store.drop_bucket(bucket, if_empty=True)]
            more = [put(store, f"m{i}", b"x", bucket=bucket) for i in range(3)]
            answers = await asyncio.gather(*puts, *ends, *more, return_exceptions=True)
            ended = answers[len(puts)] is None
            kept = [
                one for at, one in enumerate(answers) if at != len(puts) and not isinstance(one, Exception)
            ]
            assert ended or isinstance(answers[len(puts)], d.NotEmpty)
            assert len(store.list_versions(bucket).versions) == len(kept)
            assert not (ended and kept)

    world(test)


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "a\0b", "\0", "ü" * 512, "x" * 1024, "/", "a//b", "\U0010ffff"]
)
def test_any_key_is_just_a_key(world, key):
    async def test(store):
        await put(store, key, b"one", version_id="v1")
        await put(store, key, b"two", version_id="v2")
        await put(store, "other")
        assert await read(store, store.get(B, key)) == b"two"
        assert await read(store, store.get(B, key, "v1")) == b"one"
        assert sorted(keys(store.list_objects(B)), key=str.encode) == sorted([key, "other"], key=str.encode)
        await delete(store, key, "v1")
        await delete(store, key, "v2")
        assert keys(store.list_objects(B)) == ["other"]

    world(test)


# --- listings, against a model that is too simple to be wrong

_PARTS = st.sampled_from(
    ["a", "b", "/", "//", "ab", "\0", "ü", "\U0010ffff", "x" * 440, "y" * 300, "é" * 220]
)
_KEYS = st.lists(_PARTS, min_size=1, max_size=4).map("".join).filter(lambda key: len(key.encode()) <= 1024)


def model(things, prefix, delimiter, after):
    """(key, thing or None for a prefix), in order, behind `after`."""
    told, lines = set(), []
    for full, whole in things:
        key, thing = full, whole
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        if delimiter and delimiter in rest:
            key, thing = prefix + rest[: rest.index(delimiter) + len(delimiter)], None
            if key in told:
                continue
            told.add(key)
        if thing is None and after.startswith(key) and after != key:
            # Only those of its keys that come behind `after` can make it be told.
            if not any(k.startswith(key) and k.encode() > after.encode() for k, _ in things):
                continue
            lines.append((key, thing))
        elif key.encode() > after.encode():
            lines.append((key, thing))
    return lines


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    puts=st.lists(st.tuples(_KEYS, st.booleans()), max_size=25),
    prefix=st.one_of(st.just(""), _KEYS),
    delimiter=st.sampled_from(["", "/", "//", "b", "ü"]),
    after=st.one_of(st.just(""), _KEYS),
    limit=st.integers(1, 5),
)
def test_listings_are_what_a_plain_model_says(world, puts, prefix, delimiter, after, limit):
    bucket = os.urandom(6).hex()

    async def test(store):
        current: dict[str, list[str]] = {}
        for n, (key, deleted) in enumerate(puts):
            current.setdefault(key, []).insert(0, f"{'m' if deleted else 'v'}{n}")
            if deleted:
                await store.commit(bucket, [d.PutMarker(key=key, version_id=f"m{n}", modified_ms=1)])
            else:
                await put(store, key, b"", version_id=f"v{n}", bucket=bucket)
        in_order = sorted(current.items(), key=lambda item: item[0].encode())
        wanted = model([(k, v[0]) for k, v in in_order if v[0][0] == "v"], prefix, delimiter, after)
        assert pages(store.list_objects, bucket, prefix, delimiter, after, limit) == wanted
        everything = [(k, v) for k, versions in in_order for v in versions]
        got = version_pages(store, bucket, prefix, delimiter, limit)
        assert got == model(everything, prefix, delimiter, "")

    world(test)


def pages(list_, bucket, prefix, delimiter, after, limit):
    found = []
    while after is not None:
        page = list_(bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        lines = [(e.key, e.version_id) for e in page.entries] + [(p, None) for p in page.prefixes]
        assert len(lines) <= limit
        assert page.next is None or len(lines) == limit
        found += sorted(lines, key=lambda line: line[0].encode())
        after = page.next
    return found


def version_pages(store, bucket, prefix, delimiter, limit):
    found, after = [], ("", "")
    while after is not None:
        page = store.list_versions(bucket, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
        lines = [(v.entry.key, v.entry.version_id) for v in page.versions] + [
            (p, None) for p in page.prefixes
        ]
        assert len(lines) <= limit
        found += sorted(lines, key=lambda line: line[0].encode())
        after = page.next
    return found
