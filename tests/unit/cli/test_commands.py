"""The command line as processes: over a cloud that is nothing but a health answer, so quick."""

import contextlib
import dataclasses
import json
import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cloud import free_port, until

from cloudstead.cli.running import Lock, running
from cloudstead.core.settings import load

PROGRAM = [sys.executable, str(Path(__file__).with_name("fake_cloud.py"))]


class Shell:
    """Commands in a folder and a home of their own. What still runs at the end is stopped."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        (folder / "home").mkdir()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "CLOUDSTEAD_DATA": str(self.data),
            "CLOUDSTEAD_PORT": str(self.port),
        }

    def __call__(self, *words, status=0, **environment):
        done = subprocess.run(
            [*PROGRAM, *words],
            env={**self.environment, **environment},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=40,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path)
    yield shell
    shell("down")


def test_up_and_up_again_say_the_same_and_down_ends_it(shell):
    first = shell("up", "--detach")
    assert f"http://127.0.0.1:{shell.port}" in first
    assert "aws --profile cloudstead" in first
    assert "dig @127.0.0.1 -p 5300" in first
    assert 'eval "$(cloudstead env)"' in first
    again = shell("up")
    assert "is up already" in again
    assert again.splitlines()[1:] == first.splitlines()[1:]
    assert json.loads(shell("status", "--json"))["status"] == "running"
    assert "down" in shell("down")
    assert json.loads(shell("status", "--json", status=3)) == {"status": "stopped", "data": str(shell.data)}
    assert "was not up" in shell("down")


def test_status_names_processes_and_what_they_take(shell):
    shell("up", "--detach")
    told = json.loads(shell("status", "--json"))
    assert set(told["processes"]) == {"supervisor", "gateway-1"}
    if sys.platform == "linux":
        assert told["processes"]["supervisor"]["memory_bytes"] > 1_000_000
    assert told["endpoint"] == f"http://127.0.0.1:{shell.port}"
    assert "resources Vpc 1" in shell("status")


def test_a_cloud_that_does_not_start_says_why(shell):
    said = shell("up", "--detach", status=1, CLOUDSTEAD_TEST_FAULT="crash")
    assert "did not start" in said
    assert "port 1 is taken" in said
    assert "not up" in shell("status", status=3)


def test_others_see_how_it_was_started_not_how_they_would(shell):
    shell("up", "--detach", "--region", "eu-west-1", "--profile", "two")
    said = shell("env", CLOUDSTEAD_PORT="1")
    assert f"export AWS_ENDPOINT_URL=http://127.0.0.1:{shell.port}\n" in said
    assert "export AWS_PROFILE=two\n" in said
    assert "export AWS_REGION=eu-west-1\n" in said


def test_what_to_type_next_is_said_as_it_was_typed(shell):
    said = shell("up", "--detach", CLOUDSTEAD_COMMAND="./cloudstead")
    assert 'eval "$(./cloudstead env)"' in said
    assert "usage: ./cloudstead up" in shell("up", "--help", CLOUDSTEAD_COMMAND="./cloudstead")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_under_sudo_the_cloud_is_that_of_who_typed_sudo(shell):
    del shell.environment["CLOUDSTEAD_DATA"]
    home = pwd.getpwnam("daemon").pw_dir
    assert json.loads(shell("status", "--json", status=3, SUDO_USER="daemon"))["data"].startswith(home)
    assert (
        json.loads(shell("status", "--json", status=3))["data"]
        == f"{shell.folder}/home/.local/share/cloudstead"
    )


def test_env_is_for_a_shell_to_evaluate(shell):
    shell("up", "--detach")
    said = shell("env", AWS_ACCESS_KEY_ID="other")
    assert "unset AWS_ACCESS_KEY_ID" in said
    script = subprocess.run(
        ["sh", "-c", f'{said}\necho "$AWS_PROFILE $AWS_ENDPOINT_URL ${{AWS_ACCESS_KEY_ID-none}}"'],
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert script.stdout == f"cloudstead http://127.0.0.1:{shell.port} none\n"


def test_the_aws_profile_is_written_for_its_owner_alone(shell):
    shell("up", "--detach")
    credentials = shell.folder / "home" / ".aws" / "credentials"
    assert credentials.stat().st_mode & 0o777 == 0o600
    assert (
        "[cloudstead]\naws_access_key_id = AKIAFAKE\naws_secret_access_key = secret/+=\n"
        in credentials.read_text()
    )
    config = (shell.folder / "home" / ".aws" / "config").read_text()
    assert (
        f"[profile cloudstead]\nregion = us-east-1\nendpoint_url = http://127.0.0.1:{shell.port}\n" in config
    )


def test_a_killed_cloud_is_known_to_be_gone_whatever_its_files_say(shell):
    shell("up", "--detach")
    pid = json.loads(shell("status", "--json"))["processes"]["supervisor"]["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: running(shell.data) is None)
    shell("up", "--detach")
    assert json.loads(shell("status", "--json"))["processes"]["supervisor"]["pid"] != pid


def test_two_ups_at_once_make_one_cloud(shell):
    both = [
        subprocess.Popen(
            [*PROGRAM, "up", "--detach"],
            env=shell.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(2)
    ]
    said = [one.communicate(timeout=40)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], said
    shell("down")
    assert running(shell.data) is None, "the slower one does not start it again"
    shell("up", "--detach")
    assert len(json.loads(shell("status", "--json"))["processes"]) == 2


def test_an_up_waits_for_a_cloud_that_another_has_only_just_started(shell):
    def up():
        environment = {**shell.environment, "CLOUDSTEAD_TEST_FAULT": "slow"}
        words = [*PROGRAM, "up", "--detach"]
        return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    first = up()
    until(lambda: running(shell.data))
    second = up()
    with contextlib.suppress(subprocess.TimeoutExpired):
        second.wait(1)
    (shell.data / "go").touch()
    said = [one.communicate(timeout=40)[0].decode() for one in (first, second)]
    assert [one.returncode for one in (first, second)] == [0, 0], said
    assert [text.partition("\n")[0].partition("0 ")[2] for text in said] == ["is up.", "is up already."]


def test_in_the_foreground_ctrl_c_stops_it(shell):
    process = subprocess.Popen([*PROGRAM, "up"], env=shell.environment, stdout=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    assert "is up; Ctrl-C stops it" in line
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    assert "not up" in shell("status", status=3)


def test_down_all_ends_machines_and_reset_forgets_all_but_what_is_kept(shell):
    shell("up", "--detach")
    assert "gone" in shell("down", "--all")
    assert (shell.data / "ended").exists()
    (shell.data / "images").mkdir()
    (shell.data / "cloudstead.toml").write_text("region = 'eu-west-1'\n")
    said = shell("reset", status=1)
    assert "reset --yes" in said
    assert (shell.data / "state.sqlite").exists()
    shell("up", "--detach")
    shell("reset", "--yes")
    assert {path.name for path in shell.data.iterdir()} == {
        "cloud.json",
        "cloudstead.toml",
        "images",
        "logs",
        "run",
    }


def test_the_file_in_the_data_folder_is_read(shell):
    shell.data.mkdir()
    (shell.data / "cloudstead.toml").write_text("region = 'eu-west-1'\n")
    assert "AWS_REGION=eu-west-1" in shell("env")
    (shell.data / "cloudstead.toml").write_text("regoin = 'eu-west-1'\n")
    assert "there is no setting 'regoin'" in shell("env", status=2)
    (shell.data / "cloudstead.toml").write_text("data = '/elsewhere'\n")
    assert "data cannot be set in the file that lies in it" in shell("env", status=2)
    assert "there is no such file" in shell("env", "--config", "none.toml", status=2)
    (shell.data / "cloudstead.toml").unlink()


def test_logs_show_what_tells_of_one_thing(shell):
    log = shell.data / "logs" / "cloudstead.log"
    assert "no log yet" in shell("logs", status=1)
    log.parent.mkdir(parents=True)
    log.write_text(
        "2026-01-01 00:00:00,000 INFO 1 cloudstead.services.ec2.reconcile: i-0abc running after 0.3 s\n"
        "2026-01-01 00:00:01,000 ERROR 1 cloudstead.control: i-0abcd crashed\n"
        "Traceback (most recent call last):\n  boom\n"
        "2026-01-01 00:00:02,000 INFO 1 cloudstead.control: i-0abc gone\n"
    )
    assert [line.split(": ")[1] for line in shell("logs", "i-0abc").splitlines()] == [
        "i-0abc running after 0.3 s",
        "i-0abc gone",
    ]
    assert shell("logs", "i-0abcd").splitlines()[1:] == ["Traceback (most recent call last):", "  boom"]
    assert shell("logs", "ec2").count("\n") == 1
    assert shell("logs", "-n", "1").count("\n") == 1


def test_logs_follow_what_is_written(shell):
    log = shell.data / "logs" / "cloudstead.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-01-01 00:00:00,000 INFO 1 x: first\n")
    process = subprocess.Popen(
        [*PROGRAM, "logs", "-f"], env=shell.environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert "first" in process.stdout.readline()
        with log.open("a") as file:
            file.write("2026-01-01 00:00:00,000 INFO 1 x: second\n")
        assert "second" in process.stdout.readline()
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)


def test_fsck_says_what_it_looked_at_and_what_is_wrong(shell):
    said = shell("fsck")
    assert said == "3 object versions, 1 parts of uploads, 2.5 MB compared with their index: all is well.\n"
    said = shell("fsck", "--read", status=1)
    assert said.splitlines()[0] == "00000001.log: byte 17 was written otherwise"
    assert said.endswith("2.5 MB read: 1 damaged.\n")


def test_images_are_listed_built_and_brought(shell):
    assert shell("image", "list").split() == ["tiny", "ec2-user", "6.0", "MB", "for", "tests"]
    assert "tiny: built after" in shell("image", "build", "tiny")
    assert "no such file" in shell("image", "import", "al2023", "root.tar", status=1)
    assert "is no name of an image" in shell("image", "import", "../al2023", "root.tar", status=1)
    (shell.folder / "root.tar").touch()
    assert f"from {shell.folder}/root.tar for ec2-user" in shell("image", "import", "al2023", "root.tar")
    assert "from docker://debian:12 for admin" in shell(
        "image", "import", "deb", "docker://debian:12", "--login", "admin"
    )


@pytest.mark.parametrize("words", [["nonsense"], ["up", "--nonsense"], ["image"], []])
def test_what_is_typed_wrong_is_said_with_where_to_look(shell, words):
    assert "--help" in shell(*words, status=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["up", "--prot", "1"], "cloudstead up: unrecognized arguments: --prot 1\nSee cloudstead up --help"),
        (["image", "list", "x"], "cloudstead image list: unrecognized arguments: x\n"),
        (["ssh"], "cloudstead ssh: the following arguments are required: INSTANCE\n"),
        (["dns"], "cloudstead dns: the following arguments are required: install|uninstall\n"),
        (["up", "--region", "mars"], "--region: 'mars' is not the name of a region, as us-east-1 is\n"),
    ],
)
def test_what_is_typed_wrong_is_named_as_it_was_typed(shell, words, said):
    assert said in shell(*words, status=2)


def test_a_log_that_says_nothing_of_it_says_so(shell):
    log = shell.data / "logs" / "cloudstead.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-01-01 00:00:00,000 INFO 1 x: first\n")
    assert shell("logs", "i-0abc") == "The log says nothing of i-0abc.\n"


def test_the_rest_says_what_it_is_for(shell):
    assert shell("version").startswith("cloudstead ")
    assert shell("ca") == "-----BEGIN CERTIFICATE-----\n"
    assert "start it: cloudstead up --detach" in shell("ssh", "i-0abc", status=1)
    assert "--machines" in shell("up", "--help")


_LEADERLESS = """
import os, sys, time
from pathlib import Path
from cloudstead.cli.running import Lock
from cloudstead.core.settings import load

data = Path(sys.argv[1])
(data / "run").mkdir(parents=True)
lock = Lock(data)
assert lock.take()
lock.announce(load({}, {}, {}, data=data))
if os.fork():
    os._exit(0)
while not (data / "go").exists():
    time.sleep(0.01)
"""


def test_an_up_waits_until_what_a_killed_supervisor_left_has_ended(shell):
    subprocess.run([sys.executable, "-c", _LEADERLESS, str(shell.data)], check=True, timeout=20)
    assert running(shell.data)
    words = [*PROGRAM, "up", "--detach"]
    with subprocess.Popen(words, env=shell.environment, stdout=subprocess.PIPE, text=True) as up:
        with contextlib.suppress(subprocess.TimeoutExpired):
            up.wait(1)
        (shell.data / "go").touch()
        assert "is up." in up.communicate(timeout=40)[0]
    assert up.returncode == 0


def test_who_waits_for_the_end_of_one_cloud_does_not_wait_for_the_next(tmp_path):
    (tmp_path / "run").mkdir()
    lock = Lock(tmp_path)
    assert lock.take()
    lock.announce(load({}, {}, {}, data=tmp_path))
    cloud = running(tmp_path)
    assert cloud.led
    assert not cloud.wait_until_ended(0.1)
    before = dataclasses.replace(cloud, born="1")
    assert not before.led
    assert before.wait_until_ended(0.1)
    lock.release()
    assert cloud.wait_until_ended(0.1)
