"""A whole cloud under test: started as a person would, spoken to with the AWS CLI, boto3, ssh and dig."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

TOOLS = Path(sys.executable).parent


class Cloud:
    """`cloudstead up` in a folder of its own. Its ports are free ones, its home is not yours."""

    def __init__(self, folder: Path, *, dns_port: int | None = None, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.port, self.dns_port = free_port(), dns_port or free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        keep = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "CLOUDSTEAD_IMAGES", "CLOUDSTEAD_TEST_APART")
            if name in os.environ
        }
        self.environment = {
            **keep,
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "CLOUDSTEAD_DATA": str(self.data),
            "CLOUDSTEAD_PORT": str(self.port),
            "CLOUDSTEAD_DNS_PORT": str(self.dns_port),
            **{f"CLOUDSTEAD_{name.upper()}": value for name, value in settings.items()},
        }

    # --- the cloud itself

    def command(self, *words: str, timeout_s: float = 120, check: bool = True) -> str:
        """Run `cloudstead …` and return what it printed."""
        return self._run([sys.executable, "-m", "cloudstead", *words], timeout_s, check=check)

    def up(self) -> str:
        said = self.command("up", "--detach")
        for line in self.command("env").splitlines():
            name, _, value = line.removeprefix("export ").partition("=")
            self.environment[name] = value.strip("'\"")
        return said

    def down(self, *, everything: bool = True) -> str:
        return self.command("down", *(["--all"] if everything else []))

    def status(self) -> dict:
        return json.loads(self.command("status", "--json"))

    def health(self) -> dict:
        with urllib.request.urlopen(f"{self.endpoint}/_cloudstead/health", timeout=5) as answer:
            return json.load(answer)

    def processes(self) -> dict[str, int]:
        """The pids of its processes by name."""
        return json.loads((self.data / "run" / "processes.json").read_bytes())

    # --- its clients

    def aws(self, *words: str, timeout_s: float = 120):
        """The AWS CLI; JSON answers are decoded, text ones stripped."""
        said = self._run(["aws", *words], timeout_s).strip()
        return json.loads(said) if said.startswith(("{", "[")) else said

    def aws_error(self, *words: str) -> str:
        """What the AWS CLI says of a call that must fail."""
        done = subprocess.run(
            ["aws", *words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode != 0, done.stdout
        return done.stderr.strip()

    def client(self, service: str, region: str = "us-east-1", **options):
        session = boto3.Session(
            aws_access_key_id=options.pop("key", None) or self.credential("aws_access_key_id"),
            aws_secret_access_key=options.pop("secret", None) or self.credential("aws_secret_access_key"),
            aws_session_token=options.pop("token", None),
            region_name=region,
        )
        config = Config(
            retries={"total_max_attempts": 1},
            read_timeout=60,
            parameter_validation=options.pop("validate", True),
        )
        return session.client(service, endpoint_url=self.endpoint, config=config, **options)

    def credential(self, name: str) -> str:
        section = ""
        for line in (self.home / ".aws" / "credentials").read_text().splitlines():
            if line.startswith("["):
                section = line.strip("[] ")
            elif section == "cloudstead" and line.partition("=")[0].strip() == name:
                return line.partition("=")[2].strip()
        raise KeyError(name)

    def ssh(self, key: Path, login: str, *command: str, timeout_s: float = 30) -> str:
        """Log in with the real client; `login` is user@address."""
        return self._run([*ssh_words(key), login, *command], timeout_s)

    def dig(self, *words: str) -> list[str]:
        return self._run(
            ["dig", "@127.0.0.1", "-p", str(self.dns_port), "+short", "+time=2", "+tries=2", *words], 20
        ).split()

    def _run(self, words, timeout_s: float, *, check: bool = True) -> str:
        done = subprocess.run(
            [str(word) for word in words],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )
        if check and done.returncode:
            raise AssertionError(
                f"{' '.join(map(str, words))}\nstatus {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done.stdout


def ssh_words(key: Path) -> list[str]:
    return [
        "ssh",
        "-i",
        str(key),
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "LogLevel=ERROR",
        "-o",
        "ConnectTimeout=5",
        "-o",
        "ServerAliveInterval=1",
        "-o",
        "ServerAliveCountMax=2",
        "-o",
        "BatchMode=yes",
        "-o",
        "IdentitiesOnly=yes",
    ]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def until(condition, timeout_s: float = 20.0, every_s: float = 0.02):
    """Wait for a condition to hold and return what it gave; fail after a deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {found!r}")
        time.sleep(every_s)
