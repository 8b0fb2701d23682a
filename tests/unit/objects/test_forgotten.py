"""Buckets that a reset forgot: their space comes back, though the process ends before it has come to that."""

import asyncio
from types import SimpleNamespace

from tests.unit.s3.buckets.conftest import OWNER

from cloudstead.app.objects import Objects
from cloudstead.app.processes import _reset
from cloudstead.core.tools import Tools
from cloudstead.dataplane.objects import driver as d
from cloudstead.services.s3.rows import Acl, Bucket, BucketEnd
from cloudstead.store import Store

_ID = "the-bucket-id"


def test_what_a_reset_forgets_is_dropped_by_the_next_start(tmp_path):
    tools = Tools()
    with Store(None) as store:
        with store.transaction():
            store.insert(
                Bucket(
                    id="bucket",
                    bucket_id=_ID,
                    account=OWNER.account,
                    region=OWNER.region,
                    created_at=tools.this_second(),
                    acl=Acl("owner"),
                )
            )

        async def put():
            objects = Objects(tmp_path, tools)
            await objects.open()
            body = objects.store.small(b"x")
            change = d.Put(key="k", version_id=d.NULL, modified_ms=1, etag="e", meta=b"", body=body)
            await objects.store.commit(_ID, [change])
            await objects.close()

        async def reset_and_end():
            _reset(
                SimpleNamespace(data=SimpleNamespace(account=OWNER.account)), store, Objects(tmp_path, tools)
            )

        async def start():
            objects = Objects(tmp_path, tools)
            await objects.open()
            assert objects.store.usage(_ID).versions == 1
            objects.drop_soon(store)
            await objects.close()

        async def usage():
            objects = Objects(tmp_path, tools)
            await objects.open()
            found = objects.store.usage(_ID)
            await objects.close()
            return found

        asyncio.run(put())
        asyncio.run(reset_and_end())
        assert not store.rows(Bucket)
        assert [end.id for end in store.rows(BucketEnd)] == [_ID]
        asyncio.run(start())
        assert not store.rows(BucketEnd)
        assert asyncio.run(usage()) == d.Usage(versions=0, bytes=0, uploads=0)


def test_a_store_that_cannot_be_opened_keeps_no_process_from_ending(tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "00000001.needles").touch()  # on volume servers, and no master is named

    async def start(store):
        objects = Objects(tmp_path, Tools())
        objects.drop_soon(store)
        await objects.close()

    with Store(None) as store:
        store.insert(BucketEnd(id=_ID))
        asyncio.run(start(store))
        assert [end.id for end in store.rows(BucketEnd)] == [_ID]
