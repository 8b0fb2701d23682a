"""Requests per CPU second of one gateway worker, signature verified, over loopback; bounded in count.

    python benchmarks/gateway.py [--count 20000] [--connections 4] [--profile]

A worker is forked with a table of three small operations; the clients here replay one signed request over
keep-alive connections. What is reported is the CPU time that the worker spent, so the clients' cost and other
load on the machine do not count. `--profile` runs the chain alone in this process under cProfile.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import botocore.auth
import uvloop
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from cloudstead.core.caller import Caller, Credential
from cloudstead.dataplane.http import HttpRequest, listen
from cloudstead.gateway import worker
from cloudstead.gateway.chain import Gateway

ACCOUNT = "123456789012"
KEY = Credential(
    access_key_id="AKIAIOSFODNN7EXAMPLE",
    secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    account=ACCOUNT,
    arn=f"arn:aws:iam::{ACCOUNT}:root",
    user_id=ACCOUNT,
    principal="root",
)


class OneKey:
    def find(self, access_key_id):
        return KEY if access_key_id == KEY.access_key_id else None


class AllowAll:
    def authorize(self, caller, service, operation, request):
        pass


def identity(caller: Caller, _request):
    return {"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn}


def parameter(_caller: Caller, request):
    return {"Parameter": {"Name": request["Name"], "Value": "x", "Type": "String", "Version": 1}}


def regions(_caller: Caller, _request):
    return {"Regions": [{"RegionName": "us-east-1", "Endpoint": "ec2.us-east-1.amazonaws.com"}]}


OPERATIONS = {
    "sts": {"GetCallerIdentity": identity},
    "ssm": {"GetParameter": parameter},
    "ec2": {"DescribeRegions": regions},
}
FORM = "application/x-www-form-urlencoded; charset=utf-8"
CALLS = {
    "sts GetCallerIdentity (query)": ("sts", FORM, {}, b"Action=GetCallerIdentity&Version=2011-06-15"),
    "ec2 DescribeRegions (ec2)": ("ec2", FORM, {}, b"Action=DescribeRegions&Version=2016-11-15"),
    "ssm GetParameter (json)": (
        "ssm",
        "application/x-amz-json-1.1",
        {"X-Amz-Target": "AmazonSSM.GetParameter"},
        b'{"Name": "/a/b"}',
    ),
}


def signed(
    service: str, content_type: str, extra: dict[str, str], body: bytes
) -> tuple[dict[str, str], bytes]:
    """The headers that boto3 sends, and the whole request as bytes."""
    request = AWSRequest(
        "POST", "http://127.0.0.1:4566/", data=body, headers={"Content-Type": content_type, **extra}
    )
    request.headers["Host"] = "127.0.0.1:4566"
    request.headers["User-Agent"] = (
        "Boto3/1.44 md/Botocore#1.44 ua/2.1 os/linux md/arch#x86_64 lang/python#3.11"
    )
    request.headers["amz-sdk-invocation-id"] = "5b48c718-a402-4c2f-b776-8ebea01ae49d"
    request.headers["amz-sdk-request"] = "attempt=1"
    request.headers["Content-Length"] = str(len(body))
    request.headers["Accept-Encoding"] = "identity"
    botocore.auth.SigV4Auth(
        BotoCredentials(KEY.access_key_id, KEY.secret_access_key), service, "us-east-1"
    ).add_auth(request)
    headers = dict(request.headers.items())
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return headers, f"POST / HTTP/1.1\r\n{head}\r\n".encode() + body


class Client(asyncio.Protocol):
    """Sends the next copy of a request as soon as an answer has come."""

    def __init__(self, request: bytes, count: int, done: asyncio.Future) -> None:
        self.request, self.left, self.done, self.buffer = request, count, done, b""

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        assert head.startswith(b"HTTP/1.1 200"), self.buffer
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.left -= 1
        if self.left:
            self.transport.write(self.request)
        else:
            self.transport.close()
            self.done.set_result(None)


async def replay(port: int, request: bytes, count: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(connections)]
    for end in ends:
        await loop.create_connection(
            lambda end=end: Client(request, count // connections, end), "127.0.0.1", port
        )
    async with asyncio.timeout(120):
        await asyncio.gather(*ends)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(count: int, connections: int) -> None:
    sockets = listen("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    pid = os.fork()
    if not pid:
        worker.run(Gateway(OPERATIONS, OneKey(), AllowAll()), sockets)
        os._exit(0)
    try:
        for name, call in CALLS.items():
            _, request = signed(*call)
            uvloop.run(replay(port, request, 400, connections))  # compile the shapes
            before, started = cpu_s(pid), time.perf_counter()
            uvloop.run(replay(port, request, count, connections))
            spent, took = cpu_s(pid) - before, time.perf_counter() - started
            print(
                f"{name:32} {spent / count * 1e6:7.1f} us CPU  {count / spent:8.0f} /CPU s  {count / took:8.0f} /s"
            )
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def profile(count: int) -> None:
    gateway = Gateway(OPERATIONS, OneKey(), AllowAll())
    headers, _ = signed(*CALLS["sts GetCallerIdentity (query)"])
    lower = {name.lower(): value for name, value in headers.items()}

    def once() -> None:
        request = HttpRequest(
            "POST", "/", "", lower, CALLS["sts GetCallerIdentity (query)"][3], peer="127.0.0.1"
        )
        assert gateway.handle(request).status == 200

    once()
    started = time.process_time()
    for _ in range(count):
        once()
    print(
        f"the chain alone: {(time.process_time() - started) / count * 1e6:.1f} us, {datetime.now(UTC):%Y-%m-%d}"
    )
    profiler = cProfile.Profile()
    profiler.runcall(lambda: [once() for _ in range(count)])
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--count", type=int, default=20_000)
    options.add_argument("--connections", type=int, default=4)
    options.add_argument("--profile", action="store_true")
    chosen = options.parse_args()
    if chosen.profile:
        profile(min(chosen.count, 20_000))
    else:
        measure(min(chosen.count, 200_000), chosen.connections)
