"""`ssh INSTANCE`: find address, login name and key as a person would with DescribeInstances, then become ssh."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudstead.cli.commands import Commands
from cloudstead.cli.problems import Problem
from cloudstead.cli.profile import config_file, credentials_file
from cloudstead.cli.status import require_running
from cloudstead.core.settings import Settings

_LOGIN_TAG = "cloudstead:login"
_LOGIN_BY_NAME = (("ubuntu", "ubuntu"), ("debian", "admin"))
_PORT = 22
_FALLBACK_LOGIN = "ec2-user"
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


@dataclass(frozen=True)
class Wanted:
    """What was typed. `instance` may be `login@instance`, as ssh has it."""

    instance: str
    identity: str | None
    login: str | None
    region: str | None
    words: tuple[str, ...]


def ssh(commands: Commands, settings: Settings, wanted: Wanted) -> int:
    """Does not return if all is well: the process becomes ssh."""
    running = require_running(settings)
    instance, login = _look_up(running.settings, wanted)
    address, port = commands.ssh_at(running.settings, instance["InstanceId"]) or (_address(instance), _PORT)
    words = command(
        instance,
        address=address,
        port=port,
        login=login,
        identity=_identity(wanted.identity, instance),
        known_hosts=settings.data / "known_hosts",
        words=wanted.words,
    )
    try:
        os.execvp("ssh", words)  # noqa: S606 - becoming ssh is the point
    except FileNotFoundError:
        raise Problem("there is no ssh on this machine; install it: openssh-client") from None


def _look_up(settings: Settings, wanted: Wanted) -> tuple[dict[str, Any], str]:
    """The instance that is meant, as DescribeInstances shows it, and the login name."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only `ssh` should pay for it

    login, _, name = wanted.instance.rpartition("@")
    try:
        ec2 = _client(settings, wanted.region or settings.region)
        instance = _find(ec2, name)
        return instance, wanted.login or login or _login(ec2, instance["ImageId"])
    except ClientError as e:
        raise Problem(e.response["Error"]["Message"]) from None
    except BotoCoreError as e:
        raise Problem(str(e)) from None


def command(
    instance: dict[str, Any],
    *,
    address: str,
    port: int = _PORT,
    login: str,
    identity: Path | None,
    known_hosts: Path,
    words: tuple[str, ...],
) -> list[str]:
    """The words of ssh. The instance's id names its host key, for addresses go from one instance to the next."""
    options = {
        "HostName": address,
        "Port": str(port),
        "HostKeyAlias": instance["InstanceId"],
        "UserKnownHostsFile": str(known_hosts),
        "StrictHostKeyChecking": "accept-new",
        "ConnectTimeout": "10",
    }
    key = ["-i", str(identity), "-o", "IdentitiesOnly=yes"] if identity else []
    said = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return ["ssh", *key, *said, "-l", login, instance["InstanceId"], *words]


def _client(settings: Settings, region: str) -> Any:
    import botocore.session  # noqa: PLC0415 - a tenth of a second that only `ssh` should pay

    session = botocore.session.Session(profile=settings.profile)
    session.set_config_variable("credentials_file", str(credentials_file()))
    session.set_config_variable("config_file", str(config_file()))
    return session.create_client("ec2", region_name=region, endpoint_url=settings.endpoint)


def _find(ec2: Any, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        instance
        for page in ec2.get_paginator("describe_instances").paginate(**_query(name))
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] not in ("terminated", "shutting-down")
    ]
    if not found:
        raise Problem(f"there is no instance {name} (describe-instances shows those there are)")
    if len(found) > 1:
        raise Problem(f"{name} is the name of {len(found)}: {', '.join(one['InstanceId'] for one in found)}")
    if found[0]["State"]["Name"] != "running":
        raise Problem(f"{found[0]['InstanceId']} is {found[0]['State']['Name']}")
    return found[0]


def _query(name: str) -> dict[str, Any]:
    if name.startswith("i-"):
        return (
            {"InstanceIds": [name]}
            if re.fullmatch(r"i-[0-9a-f]+", name)
            else {"Filters": _by("tag:Name", name)}
        )
    if _ADDRESS.fullmatch(name):
        return {"Filters": _by("ip-address", name)}
    if name.startswith("ec2-") and name.endswith("amazonaws.com"):
        return {"Filters": _by("dns-name", name)}
    if name.startswith("ip-"):
        return {"Filters": _by("private-dns-name", name)}
    return {"Filters": _by("tag:Name", name)}


def _by(filter: str, value: str) -> list[dict[str, Any]]:
    return [{"Name": filter, "Values": [value]}]


def _address(instance: dict[str, Any]) -> str:
    address = instance.get("PublicIpAddress")
    if not address:
        raise Problem(
            f"{instance['InstanceId']} has no public address; give it one with allocate-address and associate-address"
        )
    return str(address)


def _login(ec2: Any, image_id: str) -> str:
    images = ec2.describe_images(ImageIds=[image_id])["Images"]
    if not images:
        return _FALLBACK_LOGIN
    for tag in images[0].get("Tags", []):
        if tag["Key"] == _LOGIN_TAG:
            return str(tag["Value"])
    name = images[0].get("Name", "").lower()
    return next((login for part, login in _LOGIN_BY_NAME if part in name), _FALLBACK_LOGIN)


def _identity(told: str | None, instance: dict[str, Any]) -> Path | None:
    """The key to offer: the one that was told, or KEY-NAME.pem in this folder or in ~/.ssh; None leaves it to ssh."""
    if told:
        path = Path(told).expanduser()
        if not path.is_file():
            raise Problem(f"{told}: there is no such key file")
        return path
    name = instance.get("KeyName")
    if not name or "/" in name:
        return None
    return next(
        (path for path in (Path(f"{name}.pem"), Path.home() / ".ssh" / f"{name}.pem") if path.is_file()), None
    )
