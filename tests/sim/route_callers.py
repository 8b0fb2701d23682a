"""What callers do to the main route tables of their VPCs, and where their routes are to lead when all is quiet."""

_DESTINATIONS = ("0.0.0.0/0", "192.168.0.0/16")
_MEMBERS = {"internet": "GatewayId", "nat": "NatGatewayId", "interface": "NetworkInterfaceId"}


class RouteCallers:
    def __init__(self, call, promises, chance):
        self._call, self._promises, self._chance = call, promises.network, chance
        self.weights = {self.create_route: 4, self.replace_route: 1.5, self.delete_route: 1}

    def create_route(self):
        if self._promises.tables:
            vpc = self._chance.choice(list(self._promises.tables))
            self._lead("CreateRoute", self._promises.tables[vpc], self._chance.choice(_DESTINATIONS), vpc)

    def replace_route(self):
        if (route := self._one()) is not None:
            table, destination = route
            vpc = next(vpc for vpc, its in self._promises.tables.items() if its == table)
            self._lead("ReplaceRoute", table, destination, vpc)

    def delete_route(self):
        if (route := self._one()) is not None:
            table, destination = route
            self._call(
                "DeleteRoute",
                lambda _: self._promises.routes.pop(route),
                RouteTableId=table,
                DestinationCidrBlock=destination,
            )

    def _lead(self, operation, table, destination, vpc):
        targets = [("nat", id) for id in self._promises.nats]
        targets += [("interface", id) for id in self._promises.interfaces]
        targets += [("internet", gateway)] * 3 if (gateway := self._promises.vpcs[vpc]) else []
        if not targets:
            return
        kind, id = self._chance.choice(targets)
        self._call(
            operation,
            lambda _: self._promises.routes.update({(table, destination): (kind, id)}),
            RouteTableId=table,
            DestinationCidrBlock=destination,
            **{_MEMBERS[kind]: id},
        )

    def _one(self):
        return self._chance.choice(list(self._promises.routes)) if self._promises.routes else None


def leads(promises, vpc, kind, target):
    """Where a route leads, by what was promised of its target: as the driver has it."""
    network = promises.network
    match kind:
        case "internet" if network.vpcs[vpc] == target:
            return "internet", ""
        case "nat" if target in network.nats and network.nats[target].shown in ("pending", "available"):
            return "nat", target
        case "interface" if target in network.interfaces:
            interface = network.interfaces[target]
            instance = promises.instances.get(interface.instance)
            if instance is not None and instance.want == "running" and not interface.leaving:
                return "interface", target
    return "blackhole", ""
