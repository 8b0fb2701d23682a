"""What callers do to networks. There are two VPCs of their own at most, with two small subnets each."""

from math import inf

from tests.sim.address_callers import AddressCallers
from tests.sim.network_promises import PromisedInterface
from tests.sim.route_callers import RouteCallers

from cloudstead.services.ec2.network_rows import NetworkInterface, RouteTable

_VPCS_MAX = 2
_CIDR = "10.0.0.0/24"
_CIDRS = ("10.0.0.0/28", "10.0.0.16/28")
_ABLE = (("stopped",), ("running", "stopped"))
_GROUPS = ("web", "db", "ops")


class NetworkCallers:
    def __init__(self, call, promises, chance, store):
        """`call` is a Calls; `promises` are all of them."""
        self._call, self._all, self._chance, self._store = call, promises, chance, store
        self._promises = promises.network
        self.addresses = AddressCallers(call, promises, chance, store)
        self.beginning = (self.create_vpc, self.create_subnet, self.attach_gateway, self.create_group)
        self.weights = {
            self.create_vpc: 2,
            self.delete_vpc: 0.5,
            self.create_subnet: 3,
            self.delete_subnet: 0.5,
            self.attach_gateway: 1.5,
            self.detach_gateway: 0.3,
            self.create_group: 3,
            self.delete_group: 2.5,
            self.authorize: 5,
            self.revoke: 1,
            self.create_interface: 4,
            self.attach_interface: 8,
            self.detach_interface: 3,
            self.delete_interface: 1,
            self.regroup_interface: 1,
            self.regroup_instance: 1,
            self.bind_interface: 1,
            self.assign_address: 1,
            self.unassign_address: 1,
            **self.addresses.weights,
            **RouteCallers(call, promises, chance).weights,
        }

    def look(self):
        """Of these nobody but callers makes any, so just what was promised is described."""
        for operation, members, id, promised in (
            ("DescribeAddresses", "Addresses", "AllocationId", self._promises.addresses),
            ("DescribeNatGateways", "NatGateways", "NatGatewayId", self._promises.nats),
            (
                "DescribeNetworkInterfaces",
                "NetworkInterfaces",
                "NetworkInterfaceId",
                self._known_interfaces(),
            ),
        ):
            found = {one[id] for one in self._call(operation, alone=True)[members]}
            if found != set(promised):
                self._promises.broken(
                    f"{operation} shows {sorted(found)}, and {sorted(promised)} was promised"
                )

    def _known_interfaces(self):
        """Those of NAT gateways too, which come and go with them."""
        nats = [
            nat for nat in self._promises.nats.values() if nat.shown in ("pending", "available", "deleting")
        ]
        return {*self._promises.interfaces, *(nat.interface for nat in nats)}

    # --- VPCs and subnets

    def create_vpc(self):
        if len(self._promises.vpcs) < _VPCS_MAX:
            self._call("CreateVpc", lambda answer: self._made_vpc(answer["Vpc"]["VpcId"]), CidrBlock=_CIDR)

    def _made_vpc(self, vpc):
        self._promises.vpcs[vpc] = ""
        (table,) = self._store.rows(RouteTable, vpc_id=vpc)
        self._promises.tables[vpc] = table.id

    def delete_vpc(self):
        if (vpc := self._one(self._promises.vpcs)) is not None:
            self._call("DeleteVpc", lambda _: self._forget_vpc(vpc), VpcId=vpc)

    def _forget_vpc(self, vpc):
        del self._promises.vpcs[vpc]
        table = self._promises.tables.pop(vpc)
        for route in [route for route in self._promises.routes if route[0] == table]:
            del self._promises.routes[route]
        if vpc in (*self._promises.subnets.values(), *self._promises.groups.values()):
            self._promises.broken(f"{vpc} was deleted with what callers had in it")

    def create_subnet(self):
        if (vpc := self._one(self._promises.vpcs)) is None:
            return
        made = self._call(
            "CreateSubnet",
            lambda answer: self._promises.subnets.update({answer["Subnet"]["SubnetId"]: vpc}),
            VpcId=vpc,
            CidrBlock=self._chance.choice(_CIDRS),
            AvailabilityZone="us-east-1a",
        )
        if made is not None and self._chance.random() < 0.5:
            id = made["Subnet"]["SubnetId"]
            self._call(
                "ModifySubnetAttribute",
                lambda _: self._promises.public_subnets.add(id),
                SubnetId=id,
                MapPublicIpOnLaunch={"Value": True},
            )

    def delete_subnet(self):
        if (subnet := self._one(self._promises.subnets)) is not None:
            self._call("DeleteSubnet", lambda _: self._promises.subnets.pop(subnet), SubnetId=subnet)

    def attach_gateway(self):
        vpc = self._one([vpc for vpc, gateway in self._promises.vpcs.items() if not gateway])
        if vpc is None:
            return
        made = self._call("CreateInternetGateway")
        if made is not None:
            gateway = made["InternetGateway"]["InternetGatewayId"]
            self._call(
                "AttachInternetGateway",
                lambda _: self._promises.vpcs.update({vpc: gateway}),
                InternetGatewayId=gateway,
                VpcId=vpc,
            )

    def detach_gateway(self):
        vpc = self._one([vpc for vpc, gateway in self._promises.vpcs.items() if gateway])
        if vpc is not None:
            gateway = self._promises.vpcs[vpc]
            self._call(
                "DetachInternetGateway",
                lambda _: self._promises.vpcs.update({vpc: ""}),
                InternetGatewayId=gateway,
                VpcId=vpc,
            )

    # --- security groups

    def create_group(self):
        if (vpc := self._one(self._promises.vpcs)) is not None:
            self._call(
                "CreateSecurityGroup",
                lambda answer: self._promises.groups.update({answer["GroupId"]: vpc}),
                VpcId=vpc,
                GroupName=self._chance.choice(_GROUPS),
                Description="of a walk",
            )

    def delete_group(self):
        if (group := self._one(self._promises.groups)) is not None:
            self._call("DeleteSecurityGroup", lambda _: self._forget_group(group), GroupId=group)

    def _forget_group(self, group):
        del self._promises.groups[group]
        for id, rule in list(self._promises.rules.items()):
            if rule[0] == group:
                del self._promises.rules[id]
            elif rule[-1] == group:
                self._promises.broken(f"{group} was deleted while {id} spoke of it")

    def authorize(self):
        if (group := self._one(self._promises.groups)) is None:
            return
        egress = self._chance.random() < 0.3
        vpc = self._promises.groups[group]
        peer = self._one([None, *(id for id, its in self._promises.groups.items() if its == vpc)])
        port = self._chance.choice((22, 80))
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        if peer is None:
            permission["IpRanges"] = [{"CidrIp": "10.0.0.0/8"}]
        else:
            permission["UserIdGroupPairs"] = [{"GroupId": peer}]

        def promise(answer):
            for rule in answer["SecurityGroupRules"]:
                what = (group, egress, "tcp", port, peer or "10.0.0.0/8")
                self._promises.rules[rule["SecurityGroupRuleId"]] = what

        name = f"AuthorizeSecurityGroup{'Egress' if egress else 'Ingress'}"
        self._call(name, promise, GroupId=group, IpPermissions=[permission])

    def revoke(self):
        if (rule := self._one(self._promises.rules)) is not None:
            group, egress, *_ = self._promises.rules[rule]
            self._call(
                f"RevokeSecurityGroup{'Egress' if egress else 'Ingress'}",
                lambda _: self._promises.rules.pop(rule),
                GroupId=group,
                SecurityGroupRuleIds=[rule],
            )

    # --- interfaces

    def create_interface(self):
        if (subnet := self._one(self._promises.subnets)) is None:
            return
        request = {"SubnetId": subnet, "Groups": self._some_groups(self._promises.subnets[subnet])}
        if self._chance.random() < 0.3:
            request["PrivateIpAddress"] = f"10.0.0.{self._chance.choice((5, 6, 20, 21))}"
        self._call(
            "CreateNetworkInterface",
            lambda answer: self.made(
                answer["NetworkInterface"]["NetworkInterfaceId"],
                groups=request["Groups"],
                private=request.get("PrivateIpAddress"),
            ),
            **request,
        )

    def launched(self, request, interfaces):
        """The interfaces of an instance that was launched, as its answer shows them."""
        for one in interfaces:
            goes = one["Attachment"]["DeleteOnTermination"]
            new = self.made(one["NetworkInterfaceId"], groups=request.get("SecurityGroupIds"), goes=goes)
            there_before = "NetworkInterfaceId" in request.get("NetworkInterfaces", [{}])[0]
            here = new.subnet in self._promises.public_subnets or new.subnet not in self._promises.subnets
            new.automatic = new.first and here and not there_before
            at_once = new.automatic and len(interfaces) == 1
            if at_once != (one.get("Association", {}).get("IpOwnerId") == "amazon"):
                self._promises.broken(f"{new.id} has {'no' if at_once else 'a'} public address at launch")

    def made(self, id, *, groups=(), private=None, goes=False):
        """An interface was made and its like acknowledged, with an instance or by itself."""
        row = self._store.get(NetworkInterface, id)
        if (groups and row.groups != tuple(groups)) or private not in (None, row.primary.address):
            self._promises.broken(f"{id} is made otherwise than with {groups} and {private}")
        self._promises.interfaces[id] = PromisedInterface(
            id=id,
            subnet=row.subnet_id,
            addresses=tuple(each.address for each in row.addresses),
            groups=row.groups,
            instance=row.instance_id,
            attachment=row.attachment.id if row.attachment is not None else "",
            first=row.attachment is not None and row.attachment.device_index == 0,
            from_boot=1 if row.instance_id else inf,
            goes_with_instance=goes,
        )
        return self._promises.interfaces[id]

    def attach_interface(self):
        free = self._one([id for id, one in self._promises.interfaces.items() if not one.instance])
        states = self._chance.choice(_ABLE)
        able = [id for id, one in self._all.instances.items() if one.shown in states]
        instance = self._one(able if self._chance.random() < 0.8 else self._all.instances)
        if free is None or instance is None:
            return
        promised = self._promises.interfaces[free]

        def promise(answer):
            promised.instance, promised.attachment = instance, answer["AttachmentId"]
            its = self._all.instances[instance]
            promised.from_boot = its.boot + 1 if its.shown == "stopped" else inf
            promised.goes_with_instance = promised.first = self._all.instances[instance].alone = False

        self._call(
            "AttachNetworkInterface",
            promise,
            NetworkInterfaceId=free,
            InstanceId=instance,
            DeviceIndex=self._chance.choice((0, 1, 1, 1, 2)),
        )

    def detach_interface(self):
        others = [id for id, one in self._promises.interfaces.items() if one.instance and not one.first]
        any_one = [id for id, one in self._promises.interfaces.items() if one.instance]
        attached = self._one(others if others and self._chance.random() < 0.8 else any_one)
        if attached is not None:
            promised = self._promises.interfaces[attached]
            self._call(
                "DetachNetworkInterface",
                lambda _: setattr(promised, "leaving", True),
                AttachmentId=promised.attachment,
            )

    def delete_interface(self):
        free = [id for id, one in self._promises.interfaces.items() if not one.instance]
        everything = self._promises.interfaces
        if (id := self._one(free if self._chance.random() < 0.8 else everything)) is not None:
            promised = self._promises.interfaces[id]

            def promise(_):
                del self._promises.interfaces[id]
                if promised.instance and not promised.leaving:
                    self._promises.broken(f"{id} was deleted while it was attached to {promised.instance}")

            self._call("DeleteNetworkInterface", promise, NetworkInterfaceId=id)

    def regroup_interface(self):
        if (id := self._one(self._promises.interfaces)) is not None:
            promised = self._promises.interfaces[id]
            vpc = self._promises.subnets.get(promised.subnet)
            if vpc is None or not (groups := self._some_groups(vpc)):
                return
            self._call(
                "ModifyNetworkInterfaceAttribute",
                lambda _: setattr(promised, "groups", tuple(groups)),
                NetworkInterfaceId=id,
                Groups=groups,
            )

    def regroup_instance(self):
        """By the instance, which must have just one interface."""
        attached = [one for one in self._promises.interfaces.values() if one.instance and not one.leaving]
        if (promised := self._one(attached)) is None:
            return
        vpc = self._promises.subnets.get(promised.subnet)
        if vpc is not None and (groups := self._some_groups(vpc)):
            self._call(
                "ModifyInstanceAttribute",
                lambda _: setattr(promised, "groups", tuple(groups)),
                InstanceId=promised.instance,
                Groups=groups,
            )

    def bind_interface(self):
        """Whether an interface goes when its instance does."""
        attached = [one for one in self._promises.interfaces.values() if one.instance]
        if (promised := self._one(attached)) is not None:
            goes = self._chance.random() < 0.5
            self._call(
                "ModifyNetworkInterfaceAttribute",
                lambda _: setattr(promised, "goes_with_instance", goes),
                NetworkInterfaceId=promised.id,
                Attachment={"AttachmentId": promised.attachment, "DeleteOnTermination": goes},
            )

    def assign_address(self):
        if (id := self._one(self._promises.interfaces)) is not None:
            promised = self._promises.interfaces[id]

            def promise(answer):
                new = tuple(each["PrivateIpAddress"] for each in answer["AssignedPrivateIpAddresses"])
                promised.addresses = (*promised.addresses, *new)

            self._call(
                "AssignPrivateIpAddresses", promise, NetworkInterfaceId=id, SecondaryPrivateIpAddressCount=1
            )

    def unassign_address(self):
        id = self._one([id for id, one in self._promises.interfaces.items() if len(one.addresses) > 1])
        if id is None:
            return
        promised = self._promises.interfaces[id]
        gone = self._one(promised.addresses)

        def promise(_):
            promised.addresses = tuple(each for each in promised.addresses if each != gone)
            for elastic in self._promises.addresses.values():
                if (elastic.interface, elastic.private) == (id, gone):
                    elastic.free()

        self._call("UnassignPrivateIpAddresses", promise, NetworkInterfaceId=id, PrivateIpAddresses=[gone])

    # --- choosing

    def place(self):
        """Where to launch: a subnet with some groups of its VPC, or an interface that is free, or nowhere special."""
        free = [id for id, one in self._promises.interfaces.items() if not one.instance]
        match self._chance.choice(("default", "subnet", "subnet", "subnet", "interface", "two")):
            case "subnet" if self._promises.subnets:
                subnet = self._one(self._promises.subnets)
                groups = self._some_groups(self._promises.subnets[subnet])
                return {"SubnetId": subnet, "SecurityGroupIds": groups}
            case "two" if self._promises.subnets:
                subnet = self._one(self._promises.subnets)
                both = [{"DeviceIndex": index, "SubnetId": subnet} for index in (0, 1)]
                return {"NetworkInterfaces": both, "MaxCount": 1}
            case "interface" if free:
                return {
                    "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": self._one(free)}],
                    "MaxCount": 1,
                }
        return {}

    def _some_groups(self, vpc):
        mine = [id for id, its in self._promises.groups.items() if its == vpc]
        return self._chance.sample(mine, min(len(mine), self._chance.choice((0, 0, 1, 2))))

    def _one(self, known):
        return self._chance.choice(list(known)) if known else None

    # --- the end

    def delete_rest(self):
        """In the order in which AWS lets them go; each must go."""
        known = self._promises
        for id in list(known.interfaces):
            self._call(
                "DeleteNetworkInterface", lambda _, gone=id: known.interfaces.pop(gone), NetworkInterfaceId=id
            )
        for id, (group, egress, *_) in list(known.rules.items()):
            self._call(
                f"RevokeSecurityGroup{'Egress' if egress else 'Ingress'}",
                lambda _, gone=id: known.rules.pop(gone),
                GroupId=group,
                SecurityGroupRuleIds=[id],
            )
        for id in list(known.groups):
            self._call("DeleteSecurityGroup", lambda _, gone=id: known.groups.pop(gone), GroupId=id)
        for id in list(known.subnets):
            self._call("DeleteSubnet", lambda _, gone=id: known.subnets.pop(gone), SubnetId=id)
        for vpc, gateway in list(known.vpcs.items()):
            if gateway:
                self._call("DetachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
            self._call("DeleteVpc", lambda _, gone=vpc: self._forget_vpc(gone), VpcId=vpc)
        for left in (known.interfaces, known.rules, known.groups, known.subnets, known.vpcs):
            for id in left:
                known.broken(f"{id} cannot be deleted")
