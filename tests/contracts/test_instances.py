"""What every machine driver promises, tried on the fake, on runc and on a Docker engine; and that a real guest lets you in by ssh."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
from itertools import count
from pathlib import Path

import msgspec
import pytest
from tests.support import world
from tests.support.cloud import ssh_words, until
from tests.support.fuse import Crash, Fuse, Fused
from tests.support.imds import Metadata

from cloudstead.core.errors import DriverError
from cloudstead.dataplane import host
from cloudstead.dataplane.block.directories import Directories
from cloudstead.dataplane.block.driver import VolumeSpec
from cloudstead.dataplane.images.driver import Recipe
from cloudstead.dataplane.images.store import Images
from cloudstead.dataplane.instances import cgroups, mounts, oci
from cloudstead.dataplane.instances.driver import InstanceSpec
from cloudstead.dataplane.instances.fake import FakeMachines
from cloudstead.dataplane.instances.oci import OciMachines

_ID, _CLOUD = "i-0000000000000c0de", "c0ffee"


def spec(boot: int = 0) -> InstanceSpec:
    return InstanceSpec(
        id=_ID, image="tiny", root_volume="vol-1", boot=boot, vcpus=1.0, memory_bytes=256 << 20,
        hostname="ip-10-0-0-5", network="vpc-1", login="ec2-user",
    )  # fmt: skip


class Real:
    """A data folder with a volume, a network namespace whose `lo` has the guest's address, and metadata."""

    def __init__(self, data: Path, images: Path) -> None:
        self.data = data
        self.namespace = data / "run" / "netns" / _ID
        self.namespace.parent.mkdir(parents=True)
        self.namespace.touch()
        subprocess.run(["unshare", f"--net={self.namespace}", "true"], check=True)
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "address", "add", "169.254.169.254/32", "dev", "lo")
        self.inside("ip", "address", "add", "10.0.0.5/32", "dev", "lo")
        asyncio.run(Directories(data).ensure(VolumeSpec(id="vol-1", size_bytes=1 << 30, image="tiny")))
        self.key = data / "key"
        subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", self.key], check=True)
        self.metadata = Metadata(
            self.namespace,
            {
                "meta-data/local-hostname": "ip-10-0-0-5.ec2.internal",
                "meta-data/local-ipv4": "10.0.0.5",
                "meta-data/instance-id": _ID,
                "meta-data/placement/region": "us-east-1",
                "meta-data/public-keys/0/openssh-key": self.key.with_suffix(".pub").read_text(),
                "user-data": "#!/bin/sh\necho ran by $(id -u) >>/var/log/user-data\n",
            },
        )
        self.machines = OciMachines(data, _CLOUD, images=images, grace_s=3)

    def inside(self, *words: str | Path) -> str:
        command = ["nsenter", f"--net={self.namespace}", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ssh(self, command: str) -> str:
        # Its server may begin to listen a moment after it has told its key.
        options = ["-o", "ConnectionAttempts=10"]
        return self.inside(*ssh_words(self.key), *options, "ec2-user@10.0.0.5", command)

    def console(self) -> str:
        return asyncio.run(self.machines.console(_ID)).decode()

    def close(self) -> None:
        asyncio.run(self.machines.remove(_ID))
        self.metadata.close()
        subprocess.run(["umount", self.namespace], check=True)
        assert world.mounts(self.data) == []
        assert world.processes(str(self.data)) == []
        assert world.cgroups(f"cloudstead-{_CLOUD}") == []


@pytest.fixture
def real(tmp_path, tiny_images):
    if os.geteuid() != 0 or shutil.which("runc") is None:
        pytest.skip("needs root and runc")
    made = Real(tmp_path, tiny_images)
    yield made
    made.close()


@pytest.fixture(
    params=["memory", "file", *(pytest.param(name, marks=pytest.mark.root) for name in ("oci", "docker"))]
)
def machines(request, tmp_path):
    if request.param == "oci":
        return request.getfixturevalue("real").machines
    if request.param == "docker":
        return request.getfixturevalue("docker").machines
    return FakeMachines(tmp_path / "machines.json" if request.param == "file" else None)


def seen(machines) -> list[tuple[str, int, bool]]:
    return [(one.id, one.boot, one.running) for one in asyncio.run(machines.observe())]


def test_life_of_a_machine_each_step_twice(machines):
    def twice(call):
        asyncio.run(call())
        asyncio.run(call())

    twice(lambda: machines.remove(_ID))
    twice(lambda: machines.stop(_ID))
    assert seen(machines) == []
    twice(lambda: machines.ensure(spec()))
    assert seen(machines) == [(_ID, 0, True)]
    assert asyncio.run(machines.usage(_ID)) is not None
    try:
        twice(lambda: machines.set_limits(_ID, vcpus=0.5, memory_bytes=128 << 20))
    except DriverError:
        assert "live_limits" not in machines.capabilities
    twice(lambda: machines.ensure(spec(boot=1)))
    assert seen(machines) == [(_ID, 1, True)]
    twice(lambda: machines.stop(_ID))
    assert seen(machines) == [(_ID, 1, False)]
    assert asyncio.run(machines.usage(_ID)) is None
    assert asyncio.run(machines.console(_ID))
    twice(lambda: machines.remove(_ID))
    assert seen(machines) == []


def test_fake_outlives_its_process_and_says_no_when_told(tmp_path):
    asyncio.run(FakeMachines(tmp_path / "m.json").ensure(spec()))
    again = FakeMachines(tmp_path / "m.json")
    assert seen(again) == [(_ID, 0, True)]
    again.fail = "out of luck"
    with pytest.raises(DriverError, match="out of luck"):
        asyncio.run(again.remove(_ID))


@pytest.mark.root
def test_ssh_user_data_and_the_disk_outlive_a_stop(real):
    asyncio.run(real.machines.ensure(spec()))
    until(lambda: "END SSH HOST KEY" in real.console() and "ended with status" in real.console())
    assert real.ssh("whoami; hostname; sudo id -u 2>/dev/null || true").split()[:2] == [
        "ec2-user",
        "ip-10-0-0-5",
    ]
    real.ssh("echo kept >mine")
    asyncio.run(real.machines.stop(_ID))
    asyncio.run(real.machines.ensure(spec(boot=1)))
    until(lambda: real.console().count("END SSH HOST KEY") == 2)
    assert real.ssh("cat mine") == "kept\n"
    assert real.ssh("cat /var/log/user-data") == "ran by 0\n"


@pytest.mark.root
def test_an_image_with_another_system_s_libraries_lets_you_in(real, tiny_images, tmp_path):
    foreign = tmp_path / "foreign"
    shutil.copytree(tiny_images / "tiny/rootfs", foreign, symlinks=True)
    shutil.rmtree(foreign / "usr/lib/cloudstead/lib")
    said = subprocess.run(
        ["ldd", shutil.which("dropbear")], capture_output=True, text=True, check=True
    ).stdout
    for path in (word for word in said.split() if word.startswith("/")):
        (foreign / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (foreign / path[1:]).write_text("of another system")
    subprocess.run(["tar", "-cf", tmp_path / "foreign.tar", "-C", foreign, "."], check=True)
    recipe = Recipe(name="foreign", source="imported", login="ec2-user")
    asyncio.run(Images(tiny_images).import_archive(recipe, tmp_path / "foreign.tar"))
    asyncio.run(real.machines.ensure(msgspec.structs.replace(spec(), image="foreign")))
    until(lambda: "END SSH HOST KEY" in real.console())
    assert real.ssh("whoami") == "ec2-user\n"


@pytest.mark.root
def test_what_an_older_version_made_boots_as_today(real, tiny_images, tmp_path):
    asyncio.run(Images(tiny_images).ensure(Recipe(name="older", source="tiny", login="ec2-user")))
    (tiny_images / "older/rootfs/usr/lib/cloudstead/init").write_text("#!/no/such/thing\n")
    asyncio.run(real.machines.ensure(msgspec.structs.replace(spec(), image="older")))
    until(lambda: "END SSH HOST KEY" in real.console())
    assert real.ssh("whoami") == "ec2-user\n"


@pytest.mark.root
def test_a_killed_machine_is_seen_dead_and_started_again(real):
    asyncio.run(real.machines.ensure(spec()))
    os.kill(real.machines._running_pid(_ID), signal.SIGKILL)
    until(lambda: seen(real.machines) == [(_ID, 0, False)])
    asyncio.run(real.machines.ensure(spec()))
    assert seen(real.machines) == [(_ID, 0, True)]


@pytest.mark.root
def test_created_and_never_started_is_not_running(real):
    bundle = real.machines._prepare(spec())
    with (bundle / "console.log").open("ab") as console:
        command = ["runc", "--root", real.machines._runc_root, "create", "--bundle", bundle, _ID]
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console, check=True)
    assert seen(real.machines) == [(_ID, 0, False)]
    asyncio.run(real.machines.ensure(spec()))
    assert seen(real.machines) == [(_ID, 0, True)]


@pytest.mark.root
def test_a_long_console_is_cut_to_its_end(real):
    asyncio.run(real.machines.ensure(spec()))
    console = real.data / "instances" / _ID / "console.log"
    with console.open("ab") as log:
        log.write(b"x" * (5 << 20) + b"newest\n")
    seen(real.machines)
    assert console.stat().st_size < 1 << 20
    assert "newest" in real.console()


@pytest.mark.root
@pytest.mark.parametrize("command", ["poweroff", "reboot", "shutdown"])
def test_power_off_inside_ends_the_machine(real, command):
    asyncio.run(real.machines.ensure(spec()))
    pid = real.machines._running_pid(_ID)
    until(lambda: "END SSH HOST KEY" in real.console())
    subprocess.run(
        ["nsenter", f"--target={pid}", "--all", "/bin/sh", "-lc", command], check=False, timeout=10
    )
    until(lambda: seen(real.machines) == [(_ID, 0, False)], timeout_s=8)


@pytest.mark.root
def test_a_machine_outlives_the_kill_of_who_started_it(real, tiny_images):
    started = os.fork()
    if started == 0:
        asyncio.run(OciMachines(real.data, _CLOUD, images=tiny_images).ensure(spec()))
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(started, 0)[1]) == -signal.SIGKILL
    assert seen(real.machines) == [(_ID, 0, True)]
    until(lambda: "END SSH HOST KEY" in real.console())
    assert real.ssh("whoami") == "ec2-user\n"


@pytest.mark.root
def test_missing_parts_are_named(real):
    shutil.rmtree(real.data / "volumes" / "vol-1")
    with pytest.raises(DriverError, match="vol-1 is not there yet"):
        asyncio.run(real.machines.ensure(spec()))


@pytest.mark.root
def test_a_full_disk_is_said_and_nothing_is_corrupted(real):
    instances = real.data / "instances"
    instances.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "full", instances], check=True)
    try:
        with contextlib.suppress(OSError):
            (instances / ".filler").write_bytes(bytes(1 << 20))
        with pytest.raises(DriverError, match="No space left on device"):
            asyncio.run(real.machines.ensure(spec()))
        assert [running for _, _, running in seen(real.machines)] in ([], [False])
        (instances / ".filler").unlink()
        asyncio.run(real.machines.ensure(spec()))
        assert seen(real.machines) == [(_ID, 0, True)]
    finally:
        asyncio.run(real.machines.remove(_ID))
        subprocess.run(["umount", instances], check=True)


class OciWorld:
    """The things that running a machine on runc does to the world, each of them a touch of a fuse."""

    def __init__(self, real, images):
        self.new = lambda: OciMachines(real.data, _CLOUD, images=images, grace_s=3)
        self._data = real.data

    def light(self, patch, machines, fuse):
        for module, names in (
            (host, ("run", "run_into")),
            (mounts, ("mount_overlay", "unmount")),
            (cgroups, ("remove",)),
            (oci, ("_signal", "_gone")),
            (shutil, ("rmtree",)),
        ):
            fused = Fused(module, fuse, names)
            for name in names:
                patch.setattr(module, name, getattr(fused, name))

    def left(self):
        return world.mounts(self._data / "instances"), world.cgroups(_CLOUD), world.processes(str(self._data))


class DockerWorld:
    def __init__(self, docker, engine):
        self.new = lambda: docker.machines
        self._engine = engine

    def light(self, patch, machines, fuse):
        asyncio.run(machines.observe())  # for there to be a client
        patch.setattr(self._engine, "_client", Fused(self._engine._client, fuse, _ENGINE_EFFECTS))

    def left(self):
        return [one["Names"] for one in asyncio.run(self._engine.find("containers"))]


_ENGINE_EFFECTS = (
    "create_container", "put_archive", "start", "stop", "rename", "connect_container_to_network",
    "disconnect_container_from_network",
)  # fmt: skip


@pytest.mark.root
@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_a_crash_at_any_touch_is_survived(kind, request, monkeypatch):
    if kind == "oci":
        place = OciWorld(request.getfixturevalue("real"), request.getfixturevalue("tiny_images"))
    else:
        place = DockerWorld(request.getfixturevalue("docker"), request.getfixturevalue("engine"))

    async def life(machines):
        await machines.ensure(spec())
        await machines.ensure(spec(boot=1))
        await machines.stop(_ID)
        await machines.remove(_ID)

    asyncio.run(life(place.new()))
    left = place.left()
    for at in count():
        with monkeypatch.context() as patch:
            machines, fuse = place.new(), Fuse(at)
            place.light(patch, machines, fuse)
            try:
                asyncio.run(life(machines))
            except Crash:
                crashed = True
            else:
                crashed = False
        after = place.new()
        if at % 2:
            asyncio.run(after.ensure(spec(boot=1)))
            assert seen(after) == [(_ID, 1, True)]
        asyncio.run(after.remove(_ID))
        assert seen(after) == []
        assert place.left() == left
        if not crashed:
            break
    print(f"crashed at {at} points")
    assert at > 15


@pytest.mark.root
def test_a_volume_stays_while_a_machine_stands_on_it(real):
    asyncio.run(real.machines.ensure(spec()))
    with pytest.raises(DriverError, match="still stands on it"):
        asyncio.run(Directories(real.data).remove("vol-1"))
    asyncio.run(real.machines.remove(_ID))
    asyncio.run(Directories(real.data).remove("vol-1"))
    assert asyncio.run(Directories(real.data).observe()) == []
