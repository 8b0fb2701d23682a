"""Machines on a Docker engine to try: a network, a volume, an image and a key."""

import asyncio
import subprocess

from tests.contracts.network_worlds import interface, network
from tests.support.cloud import ssh_words, until

from cloudstead.dataplane.block.docker import DockerVolumes
from cloudstead.dataplane.block.driver import VolumeSpec
from cloudstead.dataplane.images.docker import DockerImages
from cloudstead.dataplane.images.driver import Recipe
from cloudstead.dataplane.instances.docker import DockerMachines
from cloudstead.dataplane.instances.driver import InstanceSpec
from cloudstead.dataplane.network.docker import DockerNetworks

ID, VPC = "i-0000000000000c0de", "vpc-1"
TINY = Recipe(name="tiny", source="tiny", login="ec2-user")
VOLUME = VolumeSpec(id="vol-1", size_bytes=1 << 30, image="tiny")


def machine(boot: int = 0, **changed) -> InstanceSpec:
    wanted = {
        "id": ID, "image": "tiny", "root_volume": "vol-1", "boot": boot, "vcpus": 1.0, "memory_bytes": 256 << 20,
        "hostname": "ip-10-0-0-5", "network": VPC, "login": "ec2-user",
    }  # fmt: skip
    return InstanceSpec(**{**wanted, **changed})


class World:
    """A network, a volume, an image and a key; the machine is the test's to make."""

    def __init__(self, engine, images, folder):
        self.key = folder / "key"
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", self.key], check=True)
        self.metadata = {
            "meta-data/instance-id": ID,
            "meta-data/local-hostname": "ip-10-0-0-5.ec2.internal",
            "meta-data/local-ipv4": "10.0.0.5",
            "meta-data/placement/region": "us-east-1",
            "meta-data/public-keys/0/openssh-key": self.key.with_suffix(".pub").read_text(),
            "user-data": "#!/bin/sh\necho ran by $(id -u) >>/var/log/user-data\n",
        }
        self.networks = DockerNetworks(engine, folder / "networks")
        self.volumes = DockerVolumes(engine)
        self.machines = DockerMachines(
            engine,
            lambda _, path: self.metadata[path].encode() if path in self.metadata else None,
            self.networks.address,
            grace_s=3,
        )
        self.images = DockerImages(engine, images)
        asyncio.run(self.images.ensure(TINY))
        asyncio.run(self.networks.ensure(network(interface(1, "subnet-0a", "10.0.0.5", instance=ID), id=VPC)))
        asyncio.run(self.volumes.ensure(VOLUME))

    def booted(self, times=1):
        until(lambda: self.console().count("END SSH HOST KEY") == times)

    def console(self):
        return asyncio.run(self.machines.console(ID)).decode()

    def seen(self):
        return [(one.id, one.boot, one.running) for one in asyncio.run(self.machines.observe())]

    def ssh(self, command, login="ec2-user"):
        address, port = asyncio.run(self.machines.ssh_at(ID))
        # Its server may begin to listen a moment after it has told its key.
        options = ["-o", "ConnectionAttempts=10", "-p", str(port)]
        words = [*ssh_words(self.key), *options, f"{login}@{address}", command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return done.stdout
