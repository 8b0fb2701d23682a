"""How long until an instance lets one in: one, then fifty by one call, then a restart of the control plane under them.

    sudo python benchmarks/instances.py                # the tiny image; about a minute
    sudo python benchmarks/instances.py --debian       # the Debian one too; the first build takes minutes

The whole cloud and its ssh clients run in a network and a mount namespace of their own. A login is a whole one: the real
ssh client, a key, a command, its output. Nothing here has a peer: other local clouds run no machines from these APIs.
"""

import argparse
import ctypes
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.cloud import Cloud, ssh_words  # noqa: E402

_NEW_NAMESPACES = 0x00020000 | 0x40000000  # mounts and network
_PRIVATE = 0x4000 | 0x40000
_TIMEOUT_S = 120


def apart():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_NAMESPACES) or libc.mount(b"none", b"/", None, _PRIVATE, None):
        sys.exit("needs root, and the right to make namespaces")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Bench:
    def __init__(self, cloud):
        self.cloud = cloud
        self.ec2 = cloud.client("ec2")
        self.key = cloud.folder / "key.pem"
        self.key.write_text(self.ec2.create_key_pair(KeyName="bench", KeyType="ed25519")["KeyMaterial"])
        self.key.chmod(0o400)
        vpc = self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        self.group = self.ec2.create_security_group(GroupName="bench", Description="ssh", VpcId=vpc)[
            "GroupId"
        ]
        self.ec2.authorize_security_group_ingress(
            GroupId=self.group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
        )

    def image(self, name):
        return self.ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"][0]["ImageId"]

    def launch(self, image, count=1):
        """The moment of the call, and what it answered."""
        began = time.monotonic()
        ran = self.ec2.run_instances(
            ImageId=image,
            InstanceType="t3.micro",
            MinCount=count,
            MaxCount=count,
            KeyName="bench",
            SecurityGroupIds=[self.group],
        )
        return began, ran["Instances"]

    def log_in(self, address, login):
        words = [*ssh_words(self.key), f"{login}@{address}", "echo", "in"]
        deadline = time.monotonic() + _TIMEOUT_S
        while not _greets(
            address
        ):  # a first packet that comes too early would be sent again only after a second
            assert time.monotonic() < deadline, address
        while time.monotonic() < deadline:
            done = subprocess.run(words, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
            if done.stdout == "in\n":
                return time.monotonic()
            time.sleep(0.01)
        raise AssertionError(f"no login at {address}: {done.stderr}")

    def terminate(self, instances):
        ids = [one["InstanceId"] for one in instances]
        self.ec2.terminate_instances(InstanceIds=ids)
        self.wait("terminated", ids)

    def wait(self, state, ids):
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            found = self.ec2.describe_instances(InstanceIds=ids)["Reservations"]
            if all(one["State"]["Name"] == state for each in found for one in each["Instances"]):
                return time.monotonic()
            time.sleep(0.01)
        raise AssertionError(f"not {state} in time")

    def one(self, image, login, rounds):
        times = []
        for _ in range(rounds):
            began, instances = self.launch(image)
            times.append(self.log_in(instances[0]["PublicIpAddress"], login) - began)
            self.terminate(instances)
        return times

    def many(self, image, login, count):
        began, instances = self.launch(image, count)
        called = time.monotonic() - began
        with ThreadPoolExecutor(4) as pool:
            ends = list(pool.map(lambda one: self.log_in(one["PublicIpAddress"], login), instances))
        return instances, called, max(ends) - began

    def rules(self, image, rounds):
        """Seconds from the call that opens a port until a connection to it is refused by the guest, no longer dropped."""
        _, instances = self.launch(image)
        address = instances[0]["PublicIpAddress"]
        self.log_in(address, "ec2-user")
        times = []
        for port in range(7000, 7000 + rounds):
            assert not _reached(address, port)
            began = time.monotonic()
            self.ec2.authorize_security_group_ingress(
                GroupId=self.group, IpProtocol="tcp", FromPort=port, ToPort=port, CidrIp="0.0.0.0/0"
            )
            while not _reached(address, port):
                assert time.monotonic() - began < _TIMEOUT_S
            times.append(time.monotonic() - began)
        self.terminate(instances)
        return times

    def restart(self, instances):
        """Seconds from `up` until every instance is shown running by its new control plane and answers by metadata."""
        births = [self.birth(one["InstanceId"]) for one in instances]
        self.cloud.down(everything=False)
        began = time.monotonic()
        self.cloud.up()
        up = time.monotonic() - began
        self.wait("running", [one["InstanceId"] for one in instances])
        address = instances[-1]["PublicIpAddress"]
        words = [
            *ssh_words(self.key),
            f"ec2-user@{address}",
            "wget -q -O - http://169.254.169.254/latest/meta-data/instance-id",
        ]
        while subprocess.run(words, check=False, capture_output=True, timeout=30).returncode:
            assert time.monotonic() - began < _TIMEOUT_S
        adopted = time.monotonic() - began
        assert births == [self.birth(one["InstanceId"]) for one in instances], "a machine was started anew"
        return up, adopted

    def birth(self, id):
        state = json.loads((self.cloud.data / "run" / "runc" / id / "state.json").read_bytes())
        return state["init_process_start"], state["init_process_pid"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--debian", action="store_true", help="the Debian image too")
    parser.add_argument("--images", help="where images are kept, to build them once for many runs")
    parser.add_argument("--count", type=int, default=50)
    options = parser.parse_args()
    apart()
    folder = Path(tempfile.mkdtemp(prefix="cloudstead-bench-"))
    cloud = Cloud(folder, machines="oci", images=options.images or str(folder / "images"))
    try:
        cloud.up()
        bench = Bench(cloud)
        tiny = bench.image("cloudstead-tiny-*")
        bench.one(tiny, "ec2-user", 1)
        lines = [_times("create to ssh login, tiny image", bench.one(tiny, "ec2-user", 10))]
        if options.debian:
            debian = bench.image("debian-12-*")
            bench.one(debian, "admin", 1)
            lines.append(_times("create to ssh login, Debian image", bench.one(debian, "admin", 10)))
        lines.append(_times("a rule is authorized to packets pass", bench.rules(tiny, 20)))
        instances, called, reached = bench.many(tiny, "ec2-user", options.count)
        lines.append(f"| RunInstances of {options.count} | {called:.2f} s |")
        lines.append(f"| … all {options.count} logged in to | {reached:.2f} s |")
        up, adopted = bench.restart(instances)
        lines.append(f"| restart under {options.count} instances: up answers | {up:.2f} s |")
        lines.append(f"| … all shown running, metadata answers, none started anew | {adopted:.2f} s |")
        bench.terminate(instances)
        print("| | |\n|---|---|\n" + "\n".join(lines))
        print(json.dumps({"cores": os.cpu_count(), "python": sys.version.split()[0]}))
    finally:
        cloud.down()
        shutil.rmtree(folder, ignore_errors=True)


def _greets(address):
    try:
        with socket.create_connection((address, 22), timeout=0.05) as connection:
            connection.settimeout(1)
            return connection.recv(4) == b"SSH-"
    except OSError:
        time.sleep(0.005)
        return False


def _reached(address, port):
    try:
        socket.create_connection((address, port), timeout=0.005).close()
    except ConnectionRefusedError:
        return True
    except TimeoutError:
        return False
    return True


def _times(what, times):
    return f"| {what} | median {statistics.median(times):.3f} s, most {max(times):.3f} s of {len(times)} |"


if __name__ == "__main__":
    main()
