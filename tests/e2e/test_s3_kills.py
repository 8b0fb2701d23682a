"""All workers of a cloud are killed in the middle of everything S3 does to objects, over and over.

What was answered is there, what was refused is not, and what was asked and never answered is whole or not there at all.
CLOUDSTEAD_S3_KILLS=100 kills more often than the few times that always run.
"""

import contextlib
import hashlib
import os
import random
import shutil
import signal
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tests.support.cloud import Cloud, until

_ROUNDS = int(os.environ.get("CLOUDSTEAD_S3_KILLS", "5"))
_CLIENTS = 6
_ROUND_S = 1.0
_PART = 5 * 1024 * 1024
_BUCKET = "kills"
#: Keys that all clients write, and so both workers.
_SHARED = [f"shared/{n}" for n in range(6)]


@pytest.fixture
def cloud(tmp_path):
    cloud = Cloud(tmp_path, machines="fake", workers="2")
    cloud.up()
    yield cloud
    cloud.down()


def _client(cloud, attempts=1):
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=cloud.credential("aws_access_key_id"),
        aws_secret_access_key=cloud.credential("aws_secret_access_key"),
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=20, connect_timeout=5
        ),
    )


def content(name: str, size: int) -> bytes:
    """What belongs to a name, and to no other."""
    return (hashlib.sha256(name.encode()).digest() * (size // 32 + 1))[:size]


class Promises:
    """For each key: what may be found there, as hashes; None is nothing.

    Whoever writes tells before and after, by one clock: a write that ended before another began is over when that
    one was answered. Among writes that overlap any may be the last.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._writes = defaultdict(list)  # by key: [began, ended or None, hash]

    def begins(self, key, hashed):
        write = [time.monotonic(), None, hashed]
        with self._lock:
            self._writes[key].append(write)
        return write

    def answered(self, write):
        write[1] = time.monotonic()

    def never_was(self, key, write):
        with self._lock:
            self._writes[key].remove(write)

    def may_be(self, key):
        """What may be there when nobody is writing any more."""
        writes = self._writes[key]
        surest = max((write[0] for write in writes if write[1] is not None), default=None)
        if surest is None:
            return {write[2] for write in writes} | {None}
        return {write[2] for write in writes if write[1] is None or write[1] >= surest}

    def found(self, key, hashed):
        self._writes[key] = [[0.0, 0.0, hashed]]

    def keys(self):
        return list(self._writes)


class Worker:
    """One client: does this and that until time is up, and notes what it was told."""

    def __init__(self, cloud, promises, name, seed):
        self.s3 = _client(cloud)
        self.promises = promises
        self.name = name
        self.chance = random.Random(seed)
        self.count = self.answers = 0

    def run(self, until_s):
        ways = (self.put, self.put, self.put_once, self.delete, self.copy, self.in_parts, self.put_if)
        while time.monotonic() < until_s:
            self.count += 1
            self.chance.choice(ways)()
        return self.answers

    def key(self):
        return self.chance.choice((*_SHARED, *(f"{self.name}/{n}" for n in range(3))))

    def body(self, size=None):
        size = size or self.chance.choice((10, 3000, 3000, 200_000, 1024 * 1024))
        return content(f"{self.name} {self.count} {self.chance.random()}", size)

    def writes(self, key, hashed, call, **params):
        write = self.promises.begins(key, hashed)
        try:
            call(Bucket=_BUCKET, Key=key, **params)
        except ClientError as e:
            if e.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                self.promises.never_was(key, write)
        except BotoCoreError:
            pass  # may be or not
        else:
            self.promises.answered(write)
            self.answers += 1

    def put(self):
        body = self.body()
        self.writes(self.key(), _hash(body), self.s3.put_object, Body=body)

    def put_once(self):
        body = self.body()
        self.writes(
            f"{self.name}/once/{self.count}-{self.chance.random()}",
            _hash(body),
            self.s3.put_object,
            Body=body,
        )

    def put_if(self):
        """Only where nothing is, or only over what is there now."""
        key, body = self.key(), self.body()
        condition = {"IfNoneMatch": "*"}
        if self.chance.random() < 0.6:
            with contextlib.suppress(ClientError, BotoCoreError):
                condition = {"IfMatch": self.s3.head_object(Bucket=_BUCKET, Key=key)["ETag"]}
        self.writes(key, _hash(body), self.s3.put_object, Body=body, **condition)

    def delete(self):
        self.writes(self.key(), None, self.s3.delete_object)

    def copy(self):
        """From a key that only this client writes, and not while it copies."""
        source, body = f"{self.name}/source", self.body()
        write = self.promises.begins(source, _hash(body))
        try:
            self.s3.put_object(Bucket=_BUCKET, Key=source, Body=body)
        except (ClientError, BotoCoreError):
            return
        self.promises.answered(write)
        copied = {"CopySource": {"Bucket": _BUCKET, "Key": source}}
        self.writes(self.key(), _hash(body), self.s3.copy_object, **copied)

    def in_parts(self):
        key, parts = self.key(), []
        bodies = (self.body(_PART), self.body(1000))
        with contextlib.suppress(ClientError, BotoCoreError):
            upload = self.s3.create_multipart_upload(Bucket=_BUCKET, Key=key)["UploadId"]
            for number, body in enumerate(bodies, 1):
                part = self.s3.upload_part(
                    Bucket=_BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body
                )
                parts.append({"PartNumber": number, "ETag": part["ETag"]})
            if self.chance.random() < 0.2:
                self.s3.abort_multipart_upload(Bucket=_BUCKET, Key=key, UploadId=upload)
                return
            whole = {"UploadId": upload, "MultipartUpload": {"Parts": parts}}
            self.writes(key, _hash(b"".join(bodies)), self.s3.complete_multipart_upload, **whole)


def _hash(body):
    return hashlib.sha256(body).hexdigest()


def _gateways(cloud):
    return {pid for name, pid in cloud.processes().items() if name.startswith("gateway")}


def _kill(cloud, chance, until_s):
    """All workers at one moment, once or twice in a round; sometimes one more than the others."""
    time.sleep(0.2 + chance.random() * 0.4)
    while time.monotonic() < until_s:
        for pid in _gateways(cloud):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.3 + chance.random() * 0.4)


def _look(s3, promises):
    listed = {
        each["Key"]: each["Size"]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=_BUCKET)
        for each in page.get("Contents", ())
    }
    wrong = []
    for key in {*promises.keys(), *listed}:
        try:
            body = s3.get_object(Bucket=_BUCKET, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            body = None
        found = None if body is None else _hash(body)
        if found not in promises.may_be(key) or listed.get(key) != (None if body is None else len(body)):
            wrong.append((key, found, listed.get(key), promises._writes[key]))
        promises.found(key, found)
    return wrong


def _serving(s3):
    with contextlib.suppress(ClientError, BotoCoreError):
        return s3.head_bucket(Bucket=_BUCKET)
    return None


@pytest.mark.timeout(120 + 20 * _ROUNDS)
def test_nothing_answered_is_lost_when_all_workers_are_killed(cloud):
    chance, promises, answers = random.Random(3), Promises(), 0
    s3 = _client(cloud, attempts=8)
    s3.create_bucket(Bucket=_BUCKET)
    for round in range(_ROUNDS):
        until_s = time.monotonic() + _ROUND_S
        with ThreadPoolExecutor(_CLIENTS + 1) as pool:
            killer = pool.submit(_kill, cloud, chance, until_s)
            workers = [Worker(cloud, promises, f"client-{n}", f"{round} {n}") for n in range(_CLIENTS)]
            answers += sum(pool.map(lambda worker: worker.run(until_s), workers))
            killer.result()
        if chance.random() < 0.3:
            cloud.down(everything=False)
            shutil.rmtree(cloud.data / "objects" / "index")
            cloud.up()
        until(lambda: _serving(s3), 20)
        assert _look(s3, promises) == [], f"round {round}"
    assert answers > 20 * _ROUNDS
    assert "all is well" in cloud.command("fsck", "--read")
    assert "Traceback" not in cloud.command("logs", "--lines", "100000", check=False)
