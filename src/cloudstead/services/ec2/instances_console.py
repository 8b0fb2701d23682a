"""What a machine wrote to its console, and the Windows password that no machine here has."""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.services.ec2.instances_describe import find_instances
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import GetConsoleOutputRequestTypeDef, GetPasswordDataRequestTypeDef

#: The newest 64 KiB of a machine's console by instance id; empty if it never ran. Reads a file, never waits.
ReadConsole = Callable[[str], bytes]


class Console:
    def __init__(self, resources: Resources, read: ReadConsole) -> None:
        self._resources = resources
        self._read = read

    def get_console_output(self, caller: Caller, request: "GetConsoleOutputRequestTypeDef") -> dict[str, Any]:
        (instance,) = find_instances(self._resources, caller, [request["InstanceId"]])
        text = self._read(instance.id)
        answer: dict[str, Any] = {
            "InstanceId": instance.id,
            "Timestamp": self._resources.tools.clock.now(),
        }
        # SDKs decode it.
        return answer | ({"Output": base64.b64encode(text).decode()} if text else {})

    def get_password_data(self, caller: Caller, request: "GetPasswordDataRequestTypeDef") -> dict[str, Any]:
        (instance,) = find_instances(self._resources, caller, [request["InstanceId"]])
        return {"InstanceId": instance.id, "Timestamp": instance.launched_at, "PasswordData": ""}
