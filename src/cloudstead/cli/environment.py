"""`env`: what a shell evaluates to have every AWS tool talk to this cloud."""

import os
import shlex
import sys

from cloudstead.cli.profile import config_file, credentials_file
from cloudstead.cli.running import running
from cloudstead.cli.terminal import program
from cloudstead.core.settings import Settings

#: These would win over the profile.
_IN_THE_WAY = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE")


def env(settings: Settings) -> int:
    found = running(settings.data)
    if found is None:
        print(f"Cloudstead is not up; start it: {program()} up --detach", file=sys.stderr)
    in_force = found.settings if found else settings
    values = {
        "AWS_ENDPOINT_URL": in_force.endpoint,
        "AWS_PROFILE": in_force.profile,
        "AWS_REGION": in_force.region,
        "AWS_DEFAULT_REGION": in_force.region,
    }
    for variable, path in (
        ("AWS_SHARED_CREDENTIALS_FILE", credentials_file()),
        ("AWS_CONFIG_FILE", config_file()),
    ):
        if os.environ.get(variable):
            values[variable] = str(path)
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")
    in_the_way = [name for name in _IN_THE_WAY if name in os.environ]
    if in_the_way:
        print("unset " + " ".join(in_the_way))
    return 0
