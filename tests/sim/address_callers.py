"""What callers do with elastic addresses and NAT gateways."""

from tests.sim.network_promises import PromisedAddress, PromisedNat

from cloudstead.services.ec2.network_rows import ElasticAddress


class AddressCallers:
    def __init__(self, call, promises, chance, store):
        """`call` is a Calls; `promises` are all of them."""
        self._call, self._promises, self._chance, self._store = call, promises.network, chance, store
        self.weights = {
            self.allocate_address: 3,
            self.associate_address: 5,
            self.disassociate_address: 2,
            self.release_address: 1.5,
            self.create_nat: 2,
            self.delete_nat: 1,
        }

    # --- elastic addresses

    def allocate_address(self):
        def promise(answer):
            id = answer["AllocationId"]
            self._promises.addresses[id] = PromisedAddress(id, answer["PublicIp"])

        self._call("AllocateAddress", promise, Domain="vpc")

    def associate_address(self):
        id, interface = self._one(self._promises.addresses), self._one(self._promises.interfaces)
        if id is None or interface is None:
            return
        promised, one = self._promises.addresses[id], self._promises.interfaces[interface]
        private, owner = one.addresses[-1], one.instance

        def promise(answer):
            for other in self._promises.addresses.values():
                if other is not promised and (other.interface, other.private) == (interface, private):
                    other.free()
            promised.interface, promised.private = interface, private
            promised.association = answer["AssociationId"]

        where = {"NetworkInterfaceId": interface}
        others = [one for one in self._promises.interfaces.values() if one.instance == owner]
        if owner and len(others) == 1 and self._chance.random() < 0.5:
            where = {"InstanceId": owner}
        self._call(
            "AssociateAddress",
            promise,
            AllocationId=id,
            PrivateIpAddress=private,
            AllowReassociation=self._chance.random() < 0.7,
            **where,
        )

    def disassociate_address(self):
        id = self._one([id for id, one in self._promises.addresses.items() if one.association])
        if id is not None:
            promised = self._promises.addresses[id]
            self._call("DisassociateAddress", lambda _: promised.free(), AssociationId=promised.association)

    def release_address(self):
        if (id := self._one(self._promises.addresses)) is not None:
            self._call("ReleaseAddress", lambda _: self._promises.addresses.pop(id), AllocationId=id)

    # --- NAT gateways

    def create_nat(self):
        if (subnet := self._one(self._promises.subnets)) is None:
            return
        request = {"SubnetId": subnet, "ConnectivityType": "private"}
        if self._promises.addresses and self._chance.random() < 0.7:
            request |= {"ConnectivityType": "public", "AllocationId": self._one(self._promises.addresses)}

        def promise(answer):
            shown = answer["NatGateway"]
            (address,) = shown["NatGatewayAddresses"]
            interface = address["NetworkInterfaceId"]
            elastic = self._store.get(ElasticAddress, request.get("AllocationId", ""))
            has_it = elastic is not None and elastic.interface_id == interface
            becomes = self._becomes(shown["VpcId"], public=elastic is not None, has_it=has_it)
            self._promises.nats[shown["NatGatewayId"]] = PromisedNat(
                shown["NatGatewayId"], interface, becomes
            )
            if has_it:
                promised = self._promises.addresses[elastic.id]
                promised.interface, promised.private = interface, address["PrivateIp"]
                promised.association = address["AssociationId"]

        self._call("CreateNatGateway", promise, **request)

    def _becomes(self, vpc, *, public, has_it):
        """A public one needs its address, and a gateway: one that is attached stays, for the address is mapped."""
        if public and not has_it:
            return ("failed",)
        return ("available",) if not public or self._promises.vpcs[vpc] else ("available", "failed")

    def delete_nat(self):
        if (id := self._one(self._promises.nats)) is not None:
            self._call(
                "DeleteNatGateway",
                lambda _: setattr(self._promises.nats[id], "want", "absent"),
                NatGatewayId=id,
            )

    def _one(self, known):
        return self._chance.choice(list(known)) if known else None

    # --- the end

    def delete_gateways(self):
        for id in list(self._promises.nats):
            self._call(
                "DeleteNatGateway",
                lambda _, nat=self._promises.nats[id]: setattr(nat, "want", "absent"),
                NatGatewayId=id,
            )

    def release_everything(self):
        known = self._promises
        for promised in known.addresses.values():
            if promised.association:
                self._call(
                    "DisassociateAddress",
                    lambda _, one=promised: one.free(),
                    AssociationId=promised.association,
                )
        for id in list(known.addresses):
            self._call("ReleaseAddress", lambda _, gone=id: known.addresses.pop(gone), AllocationId=id)
        for id in known.addresses:
            known.broken(f"{id} cannot be released")
