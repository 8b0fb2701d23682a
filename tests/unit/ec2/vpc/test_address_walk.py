"""Whatever callers do in whatever order: no address has two owners, and none is taken for nothing."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.ec2.instances.world import CALLER
from tests.unit.ec2.vpc.cloud import Cloud

from cloudstead.core.errors import ServiceError
from cloudstead.services.ec2.instance_rows import Instance
from cloudstead.services.ec2.network_rows import ElasticAddress, NetworkInterface, PublicAddress

which = st.integers(0, 7)


class Walk(RuleBasedStateMachine):
    """Rules pick among what there is; what AWS would refuse is refused, and must have changed nothing."""

    def __init__(self):
        super().__init__()
        self.cloud = Cloud()

    def _one(self, kind, number):
        rows = self.cloud.resources.mine(kind, CALLER)
        return rows[number % len(rows)].id if rows else "x-0123456789abcdef0"

    def _try(self, operation, **asked):
        before = self._all()
        try:
            getattr(self.cloud, operation)(**asked)
        except ServiceError:
            assert self._all() == before

    def _all(self):
        kinds = (Instance, NetworkInterface, ElasticAddress, PublicAddress)
        return {row.id: row.version for kind in kinds for row in self.cloud.store.rows(kind)}

    # --- what callers do

    @rule(second=st.booleans())
    def launch(self, second):
        subnet = self.cloud.default_subnet()
        interfaces = [{"DeviceIndex": index, "SubnetId": subnet} for index in range(1 + second)]
        self.cloud.run(NetworkInterfaces=interfaces)

    @rule(number=which, operation=st.sampled_from(["start", "stop", "terminate", "reboot"]))
    def change(self, number, operation):
        self._try(f"{operation}_instances", InstanceIds=[self._one(Instance, number)])

    @rule(number=which, secondary=st.integers(0, 2))
    def create_interface(self, number, secondary):
        subnet = self.cloud.default_subnet(f"us-east-1{'ab'[number % 2]}")
        self._try("create_network_interface", SubnetId=subnet, SecondaryPrivateIpAddressCount=secondary)

    @rule(number=which)
    def delete_interface(self, number):
        self._try("delete_network_interface", NetworkInterfaceId=self._one(NetworkInterface, number))

    @rule(number=which, instance=which)
    def attach(self, number, instance):
        self._try(
            "attach_network_interface",
            NetworkInterfaceId=self._one(NetworkInterface, number),
            InstanceId=self._one(Instance, instance),
            DeviceIndex=1,
        )

    @rule(number=which)
    def detach(self, number):
        row = self.cloud.store.get(NetworkInterface, self._one(NetworkInterface, number))
        attachment = row.attachment.id if row is not None and row.attachment is not None else "none"
        self._try("detach_network_interface", AttachmentId=attachment)

    @rule()
    def allocate(self):
        self._try("allocate_address")

    @rule(number=which)
    def release(self, number):
        self._try("release_address", AllocationId=self._one(ElasticAddress, number))

    @rule(number=which, interface=which, address=st.integers(0, 2), allowed=st.booleans())
    def associate(self, number, interface, address, allowed):
        row = self.cloud.store.get(NetworkInterface, self._one(NetworkInterface, interface))
        private = row.addresses[address % len(row.addresses)].address if row is not None else "none"
        self._try(
            "associate_address",
            AllocationId=self._one(ElasticAddress, number),
            NetworkInterfaceId=self._one(NetworkInterface, interface),
            PrivateIpAddress=private,
            AllowReassociation=allowed,
        )

    @rule(number=which)
    def disassociate(self, number):
        row = self.cloud.store.get(ElasticAddress, self._one(ElasticAddress, number))
        self._try("disassociate_address", AssociationId=row.association_id if row is not None else "none")

    @rule(number=which, victim=which)
    def move_private_address(self, number, victim):
        row = self.cloud.store.get(NetworkInterface, self._one(NetworkInterface, victim))
        wanted = [row.addresses[-1].address] if row is not None else ["none"]
        self._try(
            "assign_private_ip_addresses",
            NetworkInterfaceId=self._one(NetworkInterface, number),
            PrivateIpAddresses=wanted,
            AllowReassignment=True,
        )

    @rule(number=which, wanted=st.booleans())
    def switch_automatic(self, number, wanted):
        self._try(
            "modify_network_interface_attribute",
            NetworkInterfaceId=self._one(NetworkInterface, number),
            AssociatePublicIpAddress=wanted,
        )

    @rule()
    def settle(self):
        self.cloud.settle()

    # --- what is true at every moment

    @invariant()
    def no_private_address_has_two_interfaces(self):
        rows = self.cloud.store.rows(NetworkInterface)
        held = [(row.subnet_id, each.address) for row in rows for each in row.addresses]
        assert len(set(held)) == len(held)

    @invariant()
    def each_public_address_is_taken_by_who_has_it(self):
        store = self.cloud.store
        owners = {row.address: row.id for row in store.rows(ElasticAddress)}
        for interface in store.rows(NetworkInterface):
            for each in interface.addresses:
                if each.public is not None and not each.public.allocation_id:
                    assert each is interface.primary
                    owners[each.public.address] = interface.id
        assert {row.id: row.owner for row in store.rows(PublicAddress)} == owners

    @invariant()
    def elastic_addresses_and_interfaces_agree(self):
        store = self.cloud.store
        from_interfaces = {
            (each.public.allocation_id, each.public.association_id, each.public.address, row.id, each.address)
            for row in store.rows(NetworkInterface)
            for each in row.addresses
            if each.public is not None and each.public.allocation_id
        }
        from_addresses = {
            (row.id, row.association_id, row.address, row.interface_id, row.private_ip)
            for row in store.rows(ElasticAddress)
            if row.association_id
        }
        assert from_interfaces == from_addresses

    @invariant()
    def only_what_is_up_has_an_automatic_address(self):
        store = self.cloud.store
        for row in store.rows(NetworkInterface):
            public = row.primary.public
            if public is not None and public.owner == "amazon":
                assert row.auto_public
                assert store.get(Instance, row.instance_id).aim == "running"

    def teardown(self):
        """When everything is given up, nothing is left."""
        cloud = self.cloud
        for row in cloud.store.rows(Instance):
            cloud.terminate_instances(InstanceIds=[row.id])
        cloud.settle()
        for row in cloud.store.rows(NetworkInterface):
            cloud.delete_network_interface(NetworkInterfaceId=row.id)
        for row in cloud.store.rows(ElasticAddress):
            cloud.release_address(AllocationId=row.id)
        assert cloud.store.rows(PublicAddress) == []
        assert cloud.networks.specs == {}


Walk.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWalk = Walk.TestCase
