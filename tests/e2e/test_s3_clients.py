"""S3 by the clients that people use: what they put is what they get, over restarts and kills too."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from tests.support.cloud import Cloud, until

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def s3_cloud(tmp_path_factory):
    """A cloud without machines: S3 needs none."""
    cloud = Cloud(tmp_path_factory.mktemp("s3"), machines="fake", workers="2")
    cloud.up()
    try:
        yield cloud
    finally:
        said = cloud.command("fsck", "--read", check=False)
        cloud.down()
        assert "all is well" in said


@pytest.fixture
def s3(s3_cloud):
    return s3_cloud.client("s3")


@pytest.fixture
def bucket(s3):
    name = f"test-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def large(tmp_path):
    """A file of some parts."""
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(20 * MIB + 12345))
    return path


def listed(s3, bucket):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {each["Key"]: each["Size"] for page in pages for each in page.get("Contents", ())}


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


# --- the AWS CLI


def test_the_aws_cli_copies_syncs_lists_presigns_and_removes(s3_cloud, large):
    aws, folder = s3_cloud.aws, large.parent
    bucket = f"cli-{uuid.uuid4().hex[:12]}"
    aws("s3", "mb", f"s3://{bucket}")
    aws("s3", "cp", "--no-progress", str(large), f"s3://{bucket}/large")
    assert f"{large.stat().st_size} large" in aws("s3", "ls", f"s3://{bucket}")
    aws("s3", "cp", "--no-progress", f"s3://{bucket}/large", str(folder / "back"))
    assert (folder / "back").read_bytes() == large.read_bytes()

    tree = folder / "tree"
    for name in ("a.txt", "sub/b ü.txt", "sub/deep/c+d.txt"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
        os.utime(tree / name, (10**9, 10**9))  # sync compares times, and S3's have whole seconds
    aws("s3", "sync", "--no-progress", str(tree), f"s3://{bucket}/tree")
    assert aws("s3", "sync", "--no-progress", str(tree), f"s3://{bucket}/tree") == ""
    (tree / "a.txt").unlink()
    aws("s3", "sync", "--no-progress", "--delete", str(tree), f"s3://{bucket}/tree")
    aws("s3", "sync", "--no-progress", f"s3://{bucket}/tree", str(folder / "mirror"))
    assert {p.read_text() for p in (folder / "mirror").rglob("*.txt")} == {"sub/b ü.txt", "sub/deep/c+d.txt"}

    assert get(aws("s3", "presign", f"s3://{bucket}/tree/sub/b ü.txt")) == "sub/b ü.txt".encode()
    assert "BucketNotEmpty" in s3_cloud.aws_error("s3", "rb", f"s3://{bucket}")
    aws("s3", "rb", "--force", f"s3://{bucket}")
    assert "NoSuchBucket" in s3_cloud.aws_error("s3", "ls", f"s3://{bucket}")


# --- boto3


def test_the_transfer_manager_uploads_in_parts_and_downloads_in_ranges(s3, bucket, large):
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=6)
    s3.upload_file(str(large), bucket, "large", Config=config, ExtraArgs={"Metadata": {"who": "me"}})
    head = s3.head_object(Bucket=bucket, Key="large")
    assert (head["ContentLength"], head["Metadata"]) == (large.stat().st_size, {"who": "me"})
    assert head["ETag"].endswith('-5"')
    back = large.with_suffix(".back")
    s3.download_file(bucket, "large", str(back), Config=config)
    assert back.read_bytes() == large.read_bytes()
    part = s3.get_object(Bucket=bucket, Key="large", Range="bytes=5242870-5242899")
    assert part["Body"].read() == large.read_bytes()[5242870:5242900]
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "copy", Config=config)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == large.read_bytes()


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_verified_on_the_way_in_and_out(s3, bucket, algorithm):
    body = os.urandom(300_000)
    try:
        put = s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=algorithm)
    except BotoCoreError as e:
        pytest.skip(str(e))  # botocore without the CRT knows fewer
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert got["Body"].read() == body
    with pytest.raises(ClientError, match=r"BadDigest|InvalidRequest"):
        s3.put_object(Bucket=bucket, Key="k2", Body=body, ChecksumSHA256="A" * 43 + "=")
    assert listed(s3, bucket) == {"k": len(body)}


def test_https_uploads_end_in_trailers(s3_cloud, bucket, tmp_path):
    authority = tmp_path / "ca.pem"
    authority.write_text(s3_cloud.command("ca"))
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=s3_cloud.endpoint.replace("http://", "https://"),
        verify=str(authority),
        aws_access_key_id=s3_cloud.credential("aws_access_key_id"),
        aws_secret_access_key=s3_cloud.credential("aws_secret_access_key"),
    )
    sent = []
    client.meta.events.register(
        "before-send.s3.PutObject", lambda request, **_: sent.append(request.headers["X-Amz-Content-SHA256"])
    )
    for size in (10, 3 * MIB):
        body = os.urandom(size)
        client.put_object(Bucket=bucket, Key="k", Body=body)
        assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    assert {value.decode() if isinstance(value, bytes) else value for value in sent} == {
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    }


def test_a_bucket_has_a_host_name_of_its_own(s3_cloud, bucket):
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=f"http://s3.localhost:{s3_cloud.port}",
        aws_access_key_id=s3_cloud.credential("aws_access_key_id"),
        aws_secret_access_key=s3_cloud.credential("aws_secret_access_key"),
        config=Config(s3={"addressing_style": "virtual"}),
    )
    url = client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"})
    assert url.startswith(f"http://{bucket}.s3.localhost")
    host = url.split("/")[2]
    request = urllib.request.Request(
        url.replace(host, f"127.0.0.1:{s3_cloud.port}"), b"hi", {"Host": host}, method="PUT"
    )
    request.remove_header("Content-type")
    request.add_header("Content-type", "")
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as e:
        raise AssertionError(e.read()) from None
    assert s3_cloud.client("s3").get_object(Bucket=bucket, Key="k")["Body"].read() == b"hi"


# --- browsers


def test_a_browser_uploads_by_a_form(s3_cloud, s3, bucket):
    post = s3.generate_presigned_post(
        bucket, "up/${filename}", Conditions=[["content-length-range", 1, 10 * MIB]]
    )
    content = os.urandom(2 * MIB)
    boundary = "----WebKitFormBoundary7MA4YWxk"
    body = b""
    for name, value in post["fields"].items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a b.bin"\r\n'.encode()
    body += b"Content-Type: application/octet-stream\r\n\r\n" + content + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Origin": "http://page.test"}
    with urllib.request.urlopen(urllib.request.Request(post["url"], body, headers), timeout=10) as answer:
        assert answer.status == 204
    assert s3.get_object(Bucket=bucket, Key="up/a b.bin")["Body"].read() == content


# --- other people's programs


def test_s5cmd_copies_and_lists(s3_cloud, s3, bucket, large):
    folder = large.parent
    for n in range(40):
        (folder / f"file-{n:02}").write_bytes(os.urandom(1000 * n))
    run = ["s5cmd", "--endpoint-url", s3_cloud.endpoint]
    s3_cloud._run([*run, "cp", f"{folder}/*", f"s3://{bucket}/all/"], 60)
    assert len(listed(s3, bucket)) == 41
    s3_cloud._run([*run, "cp", f"s3://{bucket}/all/*", f"{folder}/back/"], 60)
    for path in folder.glob("file-*"):
        assert (folder / "back" / path.name).read_bytes() == path.read_bytes()
    assert (folder / "back" / large.name).read_bytes() == large.read_bytes()
    s3_cloud._run([*run, "rm", f"s3://{bucket}/*"], 60)
    assert listed(s3, bucket) == {}


@pytest.mark.skipif(not shutil.which("rclone"), reason="needs rclone")
def test_rclone_syncs_and_checks(s3_cloud, s3, bucket, large):
    remote = ":s3,provider=Other,env_auth=true,region=us-east-1"
    remote += f",endpoint='{s3_cloud.endpoint}',force_path_style=true"
    s3_cloud._run(["rclone", "sync", str(large.parent), f"{remote}:{bucket}/tree"], 60)
    s3_cloud._run(["rclone", "check", "--download", str(large.parent), f"{remote}:{bucket}/tree"], 60)
    assert list(listed(s3, bucket)) == [f"tree/{large.name}"]


@pytest.mark.skipif(not shutil.which("restic"), reason="needs restic")
def test_restic_backs_up_and_restores(s3_cloud, bucket, large):
    folder = large.parent
    (folder / "password").write_text("secret")
    run = ["restic", "-q", "-r", f"s3:{s3_cloud.endpoint}/{bucket}", "-p", str(folder / "password")]
    for words in (
        ["init"],
        ["backup", str(large)],
        ["check", "--read-data"],
        ["restore", "latest", "-t", f"{folder}/to"],
    ):
        s3_cloud._run([*run, *words], 100)
    assert next((folder / "to").rglob(large.name)).read_bytes() == large.read_bytes()


@pytest.mark.skipif(not shutil.which("s3cmd"), reason="needs s3cmd")
def test_s3cmd_puts_gets_and_syncs(s3_cloud, bucket, large):
    config = large.parent / "s3cfg"
    host = f"127.0.0.1:{s3_cloud.port}"
    config.write_text(
        f"[default]\naccess_key = {s3_cloud.credential('aws_access_key_id')}\n"
        f"secret_key = {s3_cloud.credential('aws_secret_access_key')}\n"
        f"host_base = {host}\nhost_bucket = {host}\nuse_https = False\n"
    )
    run = ["s3cmd", "-c", str(config)]
    s3_cloud._run([*run, "put", "--multipart-chunk-size-mb=5", str(large), f"s3://{bucket}/large"], 60)
    s3_cloud._run([*run, "get", f"s3://{bucket}/large", f"{large.parent}/back"], 60)
    assert (large.parent / "back").read_bytes() == large.read_bytes()


@pytest.fixture
def mounted(s3_cloud, bucket, tmp_path):
    """A bucket as a folder, in the test's own mount namespace."""
    if not (
        shutil.which("s3fs") and os.access("/dev/fuse", os.W_OK) and "CLOUDSTEAD_TEST_APART" in os.environ
    ):
        pytest.skip("needs s3fs, /dev/fuse and root")
    folder, password = tmp_path / "mounted", tmp_path / "s3fs-password"
    folder.mkdir()
    password.touch(0o600)
    names = ("aws_access_key_id", "aws_secret_access_key")
    password.write_text(":".join(s3_cloud.credential(name) for name in names))
    options = f"passwd_file={password},url={s3_cloud.endpoint},use_path_request_style,endpoint=us-east-1"
    options += ",sigv4,multipart_size=5,max_stat_cache_size=0"
    command = ["s3fs", bucket, str(folder), "-f", "-o", options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        until(lambda: os.path.ismount(folder) or process.poll() is not None, 20)
        assert process.poll() is None, process.stdout.read()
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=False)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def test_s3fs_mounts_a_bucket_as_a_folder(s3, bucket, mounted, large):
    (mounted / "sub/deep").mkdir(parents=True)
    (mounted / "sub/deep/a ü.txt").write_text("hello")
    shutil.copyfile(large, mounted / "sub/large")
    assert (mounted / "sub/deep/a ü.txt").read_text() == "hello"
    assert (mounted / "sub/large").read_bytes() == large.read_bytes()
    assert s3.get_object(Bucket=bucket, Key="sub/large")["Body"].read() == large.read_bytes()
    assert "-" in s3.head_object(Bucket=bucket, Key="sub/large")["ETag"], "it came in parts"

    with (mounted / "sub/deep/a ü.txt").open("a") as file:
        file.write(" world")
    (mounted / "sub/large").rename(mounted / "moved")
    (mounted / "sub/deep").rename(mounted / "renamed")
    assert (mounted / "renamed/a ü.txt").read_text() == "hello world"
    assert (mounted / "moved").read_bytes() == large.read_bytes()
    assert sorted(path.name for path in mounted.iterdir()) == ["moved", "renamed", "sub"]
    s3.put_object(Bucket=bucket, Key="renamed/b", Body=b"from elsewhere")
    assert (mounted / "renamed/b").read_bytes() == b"from elsewhere"

    shutil.rmtree(mounted / "renamed")
    (mounted / "moved").unlink()
    assert list(listed(s3, bucket)) == ["sub/"]


# --- what holds whatever happens


def worker_pids(cloud):
    return [pid for name, pid in cloud.processes().items() if name.startswith("gateway")]


def test_a_worker_holds_little_whatever_the_size(s3_cloud, s3, bucket):
    """One PUT of 400 MiB and its GET: no worker's own memory grows by what would be the object."""
    size, piece = 400 * MIB, os.urandom(MIB)

    class Endless:
        """A file that is never in memory."""

        def __init__(self):
            self.at = 0

        def read(self, count=-1):
            start = self.at % MIB
            found = piece[start : start + (MIB if count < 0 else count)] if self.at < size else b""
            self.at += len(found)
            return found

        def seek(self, at, whence=0):
            self.at = size if whence == 2 else at
            return self.at

        def tell(self):
            return self.at

    highest = [0]
    done = threading.Event()

    def watch():
        while not done.wait(0.02):
            for pid in worker_pids(s3_cloud):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                private = sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))
                highest[0] = max(highest[0], private)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        s3.put_object(Bucket=bucket, Key="huge", Body=Endless(), ContentLength=size)
        body = s3.get_object(Bucket=bucket, Key="huge")["Body"]
        read = 0
        for chunk in body.iter_chunks(MIB):
            read += len(chunk)
    finally:
        done.set()
        watcher.join()
    assert read == size
    assert highest[0] < 100 * 1024, f"{highest[0]} KiB"


def test_nothing_acknowledged_is_lost_when_workers_are_killed(s3_cloud, bucket):
    """Many clients put and overwrite while one worker after the other is killed: all that was answered is there."""
    deadline = time.monotonic() + 8
    client = _patient(s3_cloud)

    def put(number):
        kept = {}
        for round in range(10_000):
            if time.monotonic() > deadline:
                return kept
            key = f"{number}/{round % 7}"
            body = hashlib.sha256(f"{key} {round}".encode()).digest() * (2 if round % 3 else 20_000)
            try:
                client.put_object(Bucket=bucket, Key=key, Body=body)
            except (ClientError, BotoCoreError):
                kept.pop(key, None)  # may or may not be there
            else:
                kept[key] = hashlib.sha256(body).digest()
        return kept

    def kill():
        while time.monotonic() < deadline:
            for pid in worker_pids(s3_cloud):
                time.sleep(0.4)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    with ThreadPoolExecutor(9) as pool:
        killer = pool.submit(kill)
        kept = {key: value for found in pool.map(put, range(8)) for key, value in found.items()}
        killer.result()
    until(lambda: all(Path(f"/proc/{pid}").exists() for pid in worker_pids(s3_cloud)), 10)
    assert len(kept) > 20
    for key, hashed in kept.items():
        assert hashlib.sha256(client.get_object(Bucket=bucket, Key=key)["Body"].read()).digest() == hashed, (
            key
        )
    assert "all is well" in s3_cloud.command("fsck", "--read")


def _patient(cloud):
    """A client that tries again, as every SDK does."""
    return boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=cloud.endpoint,
        aws_access_key_id=cloud.credential("aws_access_key_id"),
        aws_secret_access_key=cloud.credential("aws_secret_access_key"),
        config=Config(retries={"total_max_attempts": 8, "mode": "standard"}, max_pool_connections=16),
    )
