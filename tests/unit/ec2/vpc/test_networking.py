"""What an instance gets of its VPC: a subnet, groups, interfaces, and a public address while it is up."""

import ipaddress

import pytest
from tests.unit.ec2.instances.world import ACCOUNT, CALLER, refusal
from tests.unit.ec2.vpc.bare import MINE, Bare, rows_read

from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.network.naming import Pool
from cloudstead.services.ec2 import interfaces, public_addresses, security_groups
from cloudstead.services.ec2.addresses import ElasticAddresses
from cloudstead.services.ec2.instance_network import NewInterface
from cloudstead.services.ec2.network_rows import (
    ElasticAddress,
    NetworkInterface,
    PublicAddress,
    SecurityGroup,
)


@pytest.fixture
def bare():
    return Bare()


def create(bare, instance_id=None, **wanted):
    asked = {"subnet": bare.subnet, "groups": (bare.group.id,), "public": True, **wanted}
    new = NewInterface(instance_id=instance_id or bare.instance_id(), **asked)
    return bare.network.create_for_instance(CALLER, new)


def now(bare, interface):
    return bare.store.get(NetworkInterface, interface.id)


def elastic(bare, address="198.18.7.7"):
    id = bare.resources.new_id(ElasticAddress)
    public_addresses.claim(bare.resources, id, address)
    return bare.store.insert(ElasticAddress(id=id, **MINE, address=address))


# --- subnets and groups


def test_without_a_subnet_it_is_the_default_one_of_the_zone_or_of_the_first(bare):
    other = bare.add_subnet(cidr="10.0.1.0/24", zone="us-east-1b")
    bare.add_subnet(cidr="10.0.2.0/24", zone="us-east-1c", default_for_zone=False)
    assert bare.network.choose_subnet(CALLER, subnet_id=None, zone=None) == bare.subnet
    assert bare.network.choose_subnet(CALLER, subnet_id=None, zone="us-east-1b") == other
    assert bare.network.choose_subnet(CALLER, subnet_id=other.id, zone=None) == other
    assert refusal(bare.network.choose_subnet, caller=CALLER, subnet_id=None, zone="us-east-1c") == (
        "InvalidInput",
        "No default subnet for availability zone: 'us-east-1c'.",
    )
    assert refusal(bare.network.choose_subnet, caller=CALLER, subnet_id=other.id, zone="us-east-1a")[0] == (
        "InvalidParameterValue"
    )


def test_without_a_default_subnet_or_a_default_vpc_it_says_so(bare):
    ask = {"caller": CALLER, "subnet_id": None, "zone": None}
    bare.store.delete(bare.subnet)
    said = refusal(bare.network.choose_subnet, **ask)
    assert said == (
        "MissingInput",
        f"No subnets found for the default VPC '{bare.vpc.id}'. Please specify a subnet.",
    )
    bare.store.update(bare.vpc, is_default=False)
    assert refusal(bare.network.choose_subnet, **ask) == ("VPCIdNotSpecified", "No default VPC for this user")


def test_groups_are_chosen_by_id_and_name_within_the_vpc(bare):
    web = security_groups.insert(bare.resources, bare.vpc, name="web", description="w")

    def choose(ids=(), names=()):
        return bare.network.choose_groups(CALLER, bare.subnet, ids=ids, names=names)

    assert choose() == (bare.group.id,)
    assert choose(ids=[web.id, web.id], names=["default"]) == (web.id, bare.group.id)
    unknown = "sg-0123456789abcdef0"
    assert refusal(choose, ids=[unknown]) == (
        "InvalidGroup.NotFound",
        f"The security group '{unknown}' does not exist",
    )
    assert refusal(choose, ids=["web"])[0] == "InvalidGroupId.Malformed"
    assert refusal(choose, names=["none"]) == (
        "InvalidGroup.NotFound",
        f"The security group 'none' does not exist in default VPC '{bare.vpc.id}'",
    )
    elsewhere = bare.store.insert(
        SecurityGroup(id="sg-00000000000000009", **MINE, vpc_id="vpc-1", name="x", description="x")
    )
    assert refusal(choose, ids=[elsewhere.id]) == (
        "InvalidParameter",
        f"Security group {elsewhere.id} and subnet {bare.subnet.id} belong to different networks.",
    )
    many = [
        security_groups.insert(bare.resources, bare.vpc, name=f"g{n}", description="g").id for n in range(6)
    ]
    assert refusal(choose, ids=many)[0] == "SecurityGroupsPerInterfaceLimitExceeded"


# --- public addresses


def test_a_public_address_is_there_while_the_instance_is_up(bare):
    made = create(bare, "i-1")
    first = made.primary.public
    assert first.owner == "amazon"
    assert bare.store.get(PublicAddress, first.address).owner == made.id
    bare.network.start("i-1")
    assert now(bare, made).primary.public == first
    for _ in range(2):
        bare.network.stop("i-1")
        assert now(bare, made).primary.public is None
        assert bare.store.rows(PublicAddress) == []
    for _ in range(2):
        bare.network.start("i-1")
    assert now(bare, made).primary.public.address != first.address
    assert len(bare.store.rows(PublicAddress)) == 1


@pytest.mark.parametrize(
    ("subnet_says", "asked", "has"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
def test_the_subnet_decides_where_the_launch_does_not(bare, subnet_says, asked, has):
    subnet = bare.store.update(bare.subnet, public_ip_on_launch=subnet_says)
    assert (create(bare, subnet=subnet, public=asked).primary.public is not None) is has


def test_an_instance_with_two_interfaces_has_no_automatic_address(bare):
    first = create(bare, "i-1")
    create(bare, "i-1", device_index=1, public=False)
    assert now(bare, first).primary.public is None
    bare.network.start("i-1")
    assert now(bare, first).primary.public is None
    assert bare.store.rows(PublicAddress) == []


def test_an_elastic_address_takes_the_place_of_the_automatic_one_and_gives_it_back(bare):
    made = create(bare, "i-1")
    automatic = made.primary.public.address
    mine = public_addresses.associate(bare.resources, elastic(bare), made, made.primary.address)
    shown = now(bare, made).primary.public
    assert (shown.address, shown.owner, shown.association_id) == ("198.18.7.7", ACCOUNT, mine.association_id)
    assert bare.store.get(PublicAddress, automatic) is None
    bare.network.stop("i-1")
    assert now(bare, made).primary.public == shown
    bare.network.start("i-1")
    mine = public_addresses.disassociate(bare.resources, mine)
    assert (mine.association_id, mine.interface_id, mine.private_ip) == ("", "", "")
    assert now(bare, made).primary.public.owner == "amazon"


def test_a_disassociated_address_leaves_a_stopped_instance_without(bare):
    made = create(bare, "i-1")
    bare.network.stop("i-1")
    mine = public_addresses.associate(bare.resources, elastic(bare), now(bare, made), made.primary.address)
    public_addresses.disassociate(bare.resources, mine)
    assert now(bare, made).primary.public is None


def nearly_empty_pool(left):
    """A small pool with so many addresses left, and those that are taken."""
    bare = Bare(public_pool="198.18.0.0/19", cidr="10.0.0.0/16")
    pool = Pool("198.18.0.0/19")
    every = ipaddress.IPv4Network(pool.cidr)
    usable = [str(address) for address in every if address not in pool.reserved][1:]
    bare.resources.tools.random.shuffle(usable)
    with bare.store.transaction():
        for address in usable[left:]:
            bare.store.insert(PublicAddress(id=address, owner="eni-1"))
    return bare, usable[:left]


def test_every_address_is_given_once_but_none_of_the_drivers():
    bare, left = nearly_empty_pool(60)
    with bare.store.transaction():
        taken = [public_addresses.take(bare.resources, "eni-1") for _ in range(60)]
    assert sorted(taken) == sorted(left)
    assert refusal(public_addresses.take, resources=bare.resources, owner="eni-1") == (
        "InsufficientAddressCapacity",
        "Not enough addresses available to satisfy your request.",
    )
    public_addresses.give_back(bare.resources, taken[30])
    assert public_addresses.take(bare.resources, "eni-1") == taken[30]


def test_the_drivers_addresses_cannot_be_asked_for(bare):
    pool = Pool(bare.resources.settings.public_pool)
    for address in (pool.host, pool.edge, "198.18.0.0", "198.17.255.255"):
        assert refusal(
            public_addresses.claim, resources=bare.resources, owner="eipalloc-1", wanted=address
        ) == ("InvalidAddress.NotFound", f"Address '{address}' not found.")


def test_an_exhausted_pool_makes_no_instance():
    bare, _ = nearly_empty_pool(0)
    with pytest.raises(ServiceError), bare.store.transaction():
        create(bare)
    assert bare.store.rows(NetworkInterface) == []


# --- the end


def test_release_deletes_what_goes_with_the_instance_and_detaches_the_rest(bare):
    doomed = create(bare, "i-1")
    kept = create(bare, "i-1", device_index=1, delete_on_termination=False, public=False)
    one = public_addresses.associate(bare.resources, elastic(bare), now(bare, doomed), doomed.primary.address)
    two = public_addresses.associate(bare.resources, elastic(bare, "198.18.7.8"), kept, kept.primary.address)
    bare.network.stop("i-1")
    for _ in range(2):
        bare.network.release_for_instance("i-1")
    assert now(bare, doomed) is None
    left = now(bare, kept)
    assert (left.instance_id, left.attachment, left.auto_public, left.instance_up) == ("", None, False, False)
    assert bare.store.get(ElasticAddress, one.id).association_id == ""
    assert bare.store.get(ElasticAddress, two.id).interface_id == kept.id
    assert {row.id for row in bare.store.rows(PublicAddress)} == {"198.18.7.7", "198.18.7.8"}


def test_an_interface_of_a_nat_gateway_is_not_changed_by_others(bare):
    made = interfaces.insert(bare.resources, CALLER, bare.subnet, type="nat_gateway", nat_gateway_id="nat-1")
    assert (
        refusal(bare.network.change, caller=CALLER, interface_id=made.id, source_dest_check=False)[0]
        == "AuthFailure"
    )


def test_groups_and_the_check_of_an_interface_change(bare):
    made = create(bare)
    web = security_groups.insert(bare.resources, bare.vpc, name="web", description="w")
    bare.network.change(CALLER, made.id, groups=[web.id], source_dest_check=False)
    assert (now(bare, made).groups, now(bare, made).source_dest_check) == ((web.id,), False)
    bare.network.change(CALLER, made.id, source_dest_check=True)
    assert (now(bare, made).groups, now(bare, made).source_dest_check) == ((web.id,), True)


def test_fifty_interfaces_are_made_without_looking_through_thousands():
    bare = Bare(cidr="10.0.0.0/20")
    with bare.store.transaction():
        for _ in range(2000):
            create(bare)
    with rows_read(bare.store) as read, bare.store.transaction():
        for _ in range(50):
            create(bare)
    assert read[0] < 50 * 10


def test_machines_of_a_docker_engine_have_no_public_addresses():
    bare = Bare(machines="docker")
    made = create(bare)
    bare.network.start(made.instance_id)
    assert now(bare, made).primary.public is None
    assert (
        refusal(ElasticAddresses(bare.resources).allocate_address, caller=CALLER, request={})[0]
        == "Unsupported"
    )
