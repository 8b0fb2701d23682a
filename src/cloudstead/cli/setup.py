"""`setup`: install the system parts. The only thing in Cloudstead that touches apt; says what and why, and asks."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from cloudstead.cli.problems import Problem
from cloudstead.cli.run import watched
from cloudstead.cli.terminal import confirm, program

_APT_TIMEOUT_S = 1800


@dataclass(frozen=True)
class Part:
    """A program we need, Debian's package that has it, and what for. `extra` is the `--with` that asks for it."""

    program: str
    package: str
    why: str
    extra: str = ""


PARTS = (
    Part("runc", "runc", "runs instances"),
    Part("nft", "nftables", "security groups, network ACLs, elastic IPs"),
    Part("ip", "iproute2", "networks between instances"),
    Part("nsenter", "util-linux", "work inside those networks"),
    Part("mmdebstrap", "mmdebstrap", "builds the Debian-based images"),
    Part("busybox", "busybox-static", "the tiny image, and what starts a guest"),
    Part("dropbear", "dropbear-bin", "the ssh server of the tiny image"),
    Part("ssh", "openssh-client", "logging in"),
    Part("skopeo", "skopeo", "fetches OCI images", "images"),
    Part("umoci", "umoci", "unpacks OCI images", "images"),
    Part("podman", "podman", "the engine of the docker machines", "docker"),
    Part("skopeo", "skopeo", "the tests import an OCI image with it", "tests"),
    Part("umoci", "umoci", "the tests make an OCI image with it", "tests"),
    Part("podman", "podman", "the tests run machines on its Docker Engine API", "tests"),
    Part("dig", "bind9-dnsutils", "the tests ask the name server with it", "tests"),
    Part("ssh-keygen", "openssh-client", "the tests compare fingerprints with it", "tests"),
    Part("puttygen", "putty-tools", "the tests read .ppk keys with it", "tests"),
    Part("rclone", "rclone", "the tests copy objects with it", "tests"),
    Part("restic", "restic", "the tests back up into a bucket with it", "tests"),
    Part("s3cmd", "s3cmd", "the tests put objects with it", "tests"),
    Part("s3fs", "s3fs", "the tests mount a bucket with it", "tests"),
)
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def where(name: str) -> str | None:
    """Where a program is, also if it is one for administrators and the person's PATH leaves those out."""
    return shutil.which(name) or shutil.which(name, path=_SBIN)


def missing(extras: Sequence[str]) -> list[Part]:
    return [part for part in PARTS if part.extra in ("", *extras) and where(part.program) is None]


def setup(extras: Sequence[str], *, sure: bool) -> int:
    parts = missing(extras)
    if not parts:
        print("Every system part is there.")
        return 0
    print("Missing:")
    for part in parts:
        print(f"  {part.program:11} {part.why} (Debian's {part.package})")
    packages = sorted({part.package for part in parts})
    if shutil.which("apt-get") is None:
        raise Problem(
            "There is no apt here. Install these with your system's own package manager, then: "
            f"{program()} doctor"
        )
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    print(f"To run:\n  apt-get update\n  {' '.join(install)}", flush=True)
    if os.geteuid() != 0:
        raise Problem(f"That needs root: sudo {program()} setup")
    if not sure and not confirm("Go on?"):
        raise Problem(f"Nothing was installed. To go on without being asked: {program()} setup --yes")
    return _apt(["apt-get", "update"]) or _apt(install)


def _apt(words: Sequence[str]) -> int:
    return watched(words, timeout_s=_APT_TIMEOUT_S, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
