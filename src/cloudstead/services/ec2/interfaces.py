"""Network interfaces as rows: made with their addresses, attached, detached, deleted. For instances and NAT gateways.

The one thing a reader would get wrong: detaching takes two steps. `detach` only says that the interface is to leave;
when the network carries it no more, its reconciler calls `let_go`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from cloudstead.core import ids
from cloudstead.core.caller import Caller
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.services.ec2 import (
    client_tokens,
    instance_types,
    private_addresses,
    public_addresses,
    security_groups,
)
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import Attachment, NetworkInterface, PrivateAddress, Subnet
from cloudstead.services.ec2.rows import Resources


def insert(
    resources: Resources,
    caller: Caller,
    subnet: Subnet,
    *,
    groups: tuple[str, ...] = (),
    description: str = "",
    private_ip: str | None = None,
    more_private_ips: Sequence[str] = (),
    more_private_ip_count: int = 0,
    ipv6_addresses: Sequence[str] = (),
    ipv6_count: int | None = None,
    tags: Mapping[str, str] | None = None,
    type: Literal["interface", "nat_gateway", "service"] = "interface",
    nat_gateway_id: str = "",
    service_id: str = "",
    instance_id: str = "",
    attachment: Attachment | None = None,
    public: bool = False,
) -> NetworkInterface:
    """A new interface with its addresses. `public`: its instance is up, and gives it an automatic public address.

    `ipv6_count` None is as the subnet has it.
    """
    id = resources.new_id(NetworkInterface)
    first = choose_ipv4(resources, subnet, [private_ip] if private_ip else [], count=0 if private_ip else 1)
    more = choose_ipv4(resources, subnet, more_private_ips, count=more_private_ip_count, but=first)
    if ipv6_count is None:
        ipv6_count = 1 if subnet.ipv6_on_creation and not ipv6_addresses else 0
    addresses = [PrivateAddress(address=address) for address in (*first, *more)]
    if public and resources.settings.public_addresses:
        automatic = public_addresses.automatic(resources, id)
        addresses[0] = msgspec.structs.replace(addresses[0], public=automatic)
    return resources.store.insert(
        NetworkInterface(
            id=id,
            account=caller.account,
            region=caller.region,
            tags=dict(tags or {}),
            vpc_id=subnet.vpc_id,
            subnet_id=subnet.id,
            zone=subnet.zone,
            mac=_free_mac(resources),
            addresses=tuple(addresses),
            ipv6_addresses=choose_ipv6(resources, subnet, ipv6_addresses, count=ipv6_count),
            groups=groups,
            description=description,
            requester_id=caller.user_id if type == "interface" and attachment is None else "",
            type=type,
            nat_gateway_id=nat_gateway_id,
            service_id=service_id,
            instance_id=instance_id,
            attachment=attachment,
            auto_public=public,
            instance_up=attachment is not None,
            created_at=resources.tools.clock.now(),
        )
    )


def change(
    resources: Resources,
    caller: Caller,
    interface: NetworkInterface,
    *,
    groups: Sequence[str] | None = None,
    source_dest_check: bool | None = None,
) -> NetworkInterface:
    """Other groups, or the check switched; what is None stays."""
    if interface.type != "interface":
        raise ServiceError(
            "You do not have permission to access the specified resource.", code="AuthFailure", status=403
        )
    changes: dict[str, object] = {}
    if groups is not None:
        if not groups:
            raise ServiceError(
                "A network interface must have at least one security group.", code="InvalidParameterValue"
            )
        changes["groups"] = security_groups.choose(resources, caller, interface, ids=groups)
    if source_dest_check is not None:
        changes["source_dest_check"] = source_dest_check
    return resources.store.update(interface, **changes)


def delete(resources: Resources, interface: NetworkInterface) -> None:
    """Forget an interface and give back its addresses; whether it may go is the caller's to check."""
    client_tokens.forget(resources, interface)
    resources.store.delete(public_addresses.strip(resources, interface))


# --- attaching


def new_attachment(
    resources: Resources, *, device_index: int, delete_on_termination: bool, network_card: int = 0
) -> Attachment:
    return Attachment(
        id=ids.new("eni-attach", resources.tools.random),
        device_index=device_index,
        network_card=network_card,
        delete_on_termination=delete_on_termination,
        attached_at=resources.tools.clock.now().replace(microsecond=0),
    )


def attach(
    resources: Resources, interface: NetworkInterface, instance: Instance, attachment: Attachment
) -> NetworkInterface:
    """Attach a free interface to an instance that has room for it."""
    _check_attachable(resources, interface, instance, attachment.device_index)
    return resources.store.update(
        interface,
        instance_id=instance.id,
        attachment=attachment,
        instance_up=instance.aim == "running",
        placed=False,
    )


def detach(resources: Resources, interface: NetworkInterface) -> NetworkInterface:
    """Say that it is to leave its instance. Safe to repeat."""
    assert interface.attachment is not None, interface.id
    leaving = msgspec.structs.replace(interface.attachment, leaving=True)
    return resources.store.update(interface, attachment=leaving)


def let_go(resources: Resources, interface: NetworkInterface) -> NetworkInterface:
    """It has left its instance: free to be attached again. Safe to repeat."""
    interface = public_addresses.withdraw(resources, interface)
    return resources.store.update(
        interface, instance_id="", attachment=None, auto_public=False, instance_up=False, placed=False
    )


def _check_attachable(
    resources: Resources, interface: NetworkInterface, instance: Instance, device_index: int
) -> None:
    if interface.attachment is not None or interface.type != "interface":
        raise ServiceError(f"Interface: [{interface.id}] in use.", code="InvalidNetworkInterface.InUse")
    if interface.zone != instance.zone:
        raise ServiceError(
            "You may not attach a network interface to an instance if they are not in the same availability zone",
            code="InvalidParameterCombination",
        )
    if interface.vpc_id != instance.vpc_id:
        raise NotBuilt(
            "ec2: Network interfaces of another VPC than the instance's are not built in Cloudstead yet."
        )
    others = resources.store.rows(NetworkInterface, instance_id=instance.id)
    if any(one.attachment is not None and one.attachment.device_index == device_index for one in others):
        raise ServiceError(
            f"Instance '{instance.id}' already has an interface attached at device index '{device_index}'.",
            code="InvalidParameterValue",
        )
    most = instance_types.every()[instance.type].interfaces_max
    if len(others) >= most:
        raise ServiceError(
            f"Interface count {len(others) + 1} exceeds the limit for {instance.type}",
            code="AttachmentLimitExceeded",
        )


# --- addresses


def choose_ipv4(
    resources: Resources, subnet: Subnet, wanted: Sequence[str], *, count: int = 0, but: Sequence[str] = ()
) -> tuple[str, ...]:
    """The addresses asked for and so many more, all free."""
    chosen = list(but)
    for address in wanted:
        chosen.append(private_addresses.claim(resources.store, subnet, address, but=chosen))
    for _ in range(count):
        chosen.append(private_addresses.pick(resources.store, resources.tools.random, subnet, but=chosen))
    return tuple(chosen[len(but) :])


def choose_ipv6(
    resources: Resources, subnet: Subnet, wanted: Sequence[str], *, count: int = 0
) -> tuple[str, ...]:
    chosen: list[str] = []
    for address in wanted:
        chosen.append(private_addresses.claim6(resources.store, subnet, address, but=chosen))
    for _ in range(count):
        chosen.append(private_addresses.pick6(resources.store, resources.tools.random, subnet, but=chosen))
    return tuple(chosen)


def _free_mac(resources: Resources) -> str:
    """A unicast address that its holder gave itself, as the second digit says."""
    while True:
        digits = f"{resources.tools.random.getrandbits(40):010x}"
        mac = ":".join(("0a", *(digits[at : at + 2] for at in range(0, 10, 2))))
        if not resources.store.rows(NetworkInterface, mac=mac):
            return mac
