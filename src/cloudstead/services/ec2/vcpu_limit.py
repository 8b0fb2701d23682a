"""The limit on vCPUs: what an account's instances that are wanted running may have together in a region.

It is asked for wherever an instance becomes wanted running: when it is launched, and when it is started again.
"""

from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2 import instance_types
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.rows import Resources


def room(resources: Resources, account: str, region: str) -> int:
    """How many vCPUs more may run; never less than none."""
    types = instance_types.every()
    instances = resources.store.rows(Instance, account=account, region=region)
    used = sum(types[row.type].vcpus for row in instances if row.aim == "running")
    return max(0, resources.settings.vcpus_max - used)


def exceeded(resources: Resources) -> ServiceError:
    return ServiceError(
        f"You have requested more vCPU capacity than your current vCPU limit of {resources.settings.vcpus_max} allows for "
        "the instance bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        code="VcpuLimitExceeded",
    )
