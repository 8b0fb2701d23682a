"""Start, stop, reboot, terminate: what is wanted changes, and callers see the instance on its way at once.

All ids of a call are checked before any instance is touched: a call does all that it says or nothing.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import instance_types, vcpu_limit
from cloudstead.services.ec2.instance_network import Networking
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.instance_shown import state
from cloudstead.services.ec2.instances_describe import find_instances
from cloudstead.services.ec2.instances_launch import MachinesMissing
from cloudstead.services.ec2.rows import Resources

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import (
        MonitorInstancesRequestTypeDef,
        RebootInstancesRequestTypeDef,
        StartInstancesRequestTypeDef,
        StopInstancesRequestTypeDef,
        TerminateInstancesRequestTypeDef,
        UnmonitorInstancesRequestTypeDef,
    )


class Lifecycle:
    def __init__(self, resources: Resources, network: Networking, machines_missing: MachinesMissing) -> None:
        self._resources = resources
        self._network = network
        self._machines_missing = machines_missing

    def start_instances(self, caller: Caller, request: "StartInstancesRequestTypeDef") -> dict[str, Any]:
        missing = self._machines_missing()
        if missing is not None:
            raise ServiceError(missing, code="Unsupported")
        changes = self._change(caller, request["InstanceIds"], _check_startable, self._start)
        return {"StartingInstances": changes}

    def stop_instances(self, caller: Caller, request: "StopInstancesRequestTypeDef") -> dict[str, Any]:
        if request.get("Hibernate"):
            raise NotBuilt("ec2: StopInstances with Hibernate is not built in Cloudstead yet.")
        force = bool(request.get("Force"))

        def stop(instance: Instance) -> Instance:
            if instance.aim == "stopped":
                # Stopping it once more with force is how one ends a stop that hangs.
                return self._resources.store.update(instance, force_stop=force or instance.force_stop)
            return self._end(instance, "stopped", force=force)

        return {"StoppingInstances": self._change(caller, request["InstanceIds"], _check_stoppable, stop)}

    def reboot_instances(self, caller: Caller, request: "RebootInstancesRequestTypeDef") -> None:
        def reboot(instance: Instance) -> Instance:
            return self._resources.store.update(instance, boot=instance.boot + 1)

        self._change(caller, request["InstanceIds"], _check_rebootable, reboot)

    def terminate_instances(
        self, caller: Caller, request: "TerminateInstancesRequestTypeDef"
    ) -> dict[str, Any]:
        def terminate(instance: Instance) -> Instance:
            return (
                instance if instance.want == "terminated" else self._end(instance, "terminated", force=True)
            )

        changes = self._change(caller, request["InstanceIds"], _check_terminable, terminate)
        return {"TerminatingInstances": changes}

    def monitor_instances(self, caller: Caller, request: "MonitorInstancesRequestTypeDef") -> dict[str, Any]:
        return self._monitor(caller, request["InstanceIds"], monitoring=True)

    def unmonitor_instances(
        self, caller: Caller, request: "UnmonitorInstancesRequestTypeDef"
    ) -> dict[str, Any]:
        return self._monitor(caller, request["InstanceIds"], monitoring=False)

    # --- inside

    def _change(
        self,
        caller: Caller,
        wanted: Sequence[str],
        check: Callable[[Instance], None],
        change: Callable[[Instance], Instance],
    ) -> list[dict[str, Any]]:
        """Check every instance, then change them; return how AWS shows the change of each."""
        with self._resources.store.transaction():
            found = find_instances(self._resources, caller, wanted)
            for instance in found:
                check(instance)
            pairs = [(instance, change(instance)) for instance in found]
        return [
            {
                "InstanceId": before.id,
                "CurrentState": state(after.shown_state),
                "PreviousState": state(before.shown_state),
            }
            for before, after in pairs
        ]

    def _start(self, instance: Instance) -> Instance:
        if instance.aim == "running":
            return instance
        needed = instance_types.every()[instance.type].vcpus
        if vcpu_limit.room(self._resources, instance.account, instance.region) < needed:
            raise vcpu_limit.exceeded(self._resources)
        self._network.start(instance.id)
        return self._resources.store.update(
            instance,
            want="running",
            boot=instance.boot + 1,
            launched_at=self._resources.tools.clock.now().replace(microsecond=0),
            force_stop=False,
            asked_at=None,
        )

    def _end(self, instance: Instance, want: str, *, force: bool) -> Instance:
        self._network.stop(instance.id)
        now = self._resources.tools.clock.now()
        return self._resources.store.update(instance, want=want, force_stop=force, asked_at=now)

    def _monitor(self, caller: Caller, wanted: Sequence[str], *, monitoring: bool) -> dict[str, Any]:
        store = self._resources.store
        with store.transaction():
            found = find_instances(self._resources, caller, wanted)
            for instance in found:
                store.update(instance, monitoring=monitoring)
        shown = {"State": "enabled" if monitoring else "disabled"}
        return {"InstanceMonitorings": [{"InstanceId": one.id, "Monitoring": shown} for one in found]}


def _check_startable(instance: Instance) -> None:
    if instance.shown_state not in ("stopped", "pending", "running"):
        raise _wrong_state(instance, "started")


def _check_stoppable(instance: Instance) -> None:
    if instance.shown_state not in ("running", "stopping", "stopped"):
        raise _wrong_state(instance, "stopped")
    if instance.stop_protection and instance.shown_state == "running":
        raise _not_permitted(instance, "stopped", "disableApiStop")


def _check_rebootable(instance: Instance) -> None:
    if instance.shown_state != "running":
        raise _wrong_state(instance, "rebooted")


def _check_terminable(instance: Instance) -> None:
    if instance.termination_protection and instance.alive:
        raise _not_permitted(instance, "terminated", "disableApiTermination")


def _wrong_state(instance: Instance, done: str) -> ServiceError:
    return ServiceError(
        f"The instance '{instance.id}' is not in a state from which it can be {done}.",
        code="IncorrectInstanceState",
    )


def _not_permitted(instance: Instance, done: str, attribute: str) -> ServiceError:
    return ServiceError(
        f"The instance '{instance.id}' may not be {done}. Modify its '{attribute}' instance attribute and try again.",
        code="OperationNotPermitted",
    )
