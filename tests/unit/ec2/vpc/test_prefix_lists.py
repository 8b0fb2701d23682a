"""Managed prefix lists: versions, what may change together, and who uses them."""

import msgspec
import pytest
from tests.unit.ec2.vpc.world import ACCOUNT, World, refusal

from cloudstead.core.errors import NotBuilt
from cloudstead.services.ec2.network_rows import PrefixEntry, PrefixList


@pytest.fixture
def world():
    return World(opened=True)


def create(world, *cidrs, **more):
    asked = {"PrefixListName": "office", "AddressFamily": "IPv4", "MaxEntries": 5, **more}
    entries = [{"Cidr": cidr} for cidr in cidrs]
    return world.create_managed_prefix_list(**asked, Entries=entries)["PrefixList"]["PrefixListId"]


def described(world, id):
    (one,) = world.describe_managed_prefix_lists(PrefixListIds=[id])["PrefixLists"]
    return one


def cidrs(world, id, version=None):
    asked = {} if version is None else {"TargetVersion": version}
    return [
        each["Cidr"] for each in world.get_managed_prefix_list_entries(PrefixListId=id, **asked)["Entries"]
    ]


def change(world, id, version, *, add=(), remove=()):
    return world.modify_managed_prefix_list(
        PrefixListId=id,
        CurrentVersion=version,
        AddEntries=[{"Cidr": cidr} for cidr in add],
        RemoveEntries=[{"Cidr": cidr} for cidr in remove],
    )["PrefixList"]


def test_a_new_list_is_version_one_and_complete(world):
    entries = [{"Cidr": "10.1.2.3/8", "Description": "ten"}, {"Cidr": "11.0.0.0/8"}]
    tags = [{"ResourceType": "prefix-list", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = world.create_managed_prefix_list(
        PrefixListName="office", AddressFamily="IPv4", MaxEntries=5, Entries=entries, TagSpecifications=tags
    )["PrefixList"]
    id = made["PrefixListId"]
    assert made["State"] == "create-in-progress"
    assert described(world, id) == {
        "PrefixListId": id,
        "PrefixListName": "office",
        "PrefixListArn": f"arn:aws:ec2:us-east-1:{ACCOUNT}:prefix-list/{id}",
        "AddressFamily": "IPv4",
        "State": "create-complete",
        "MaxEntries": 5,
        "Version": 1,
        "OwnerId": ACCOUNT,
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    assert world.get_managed_prefix_list_entries(PrefixListId=id)["Entries"] == [
        {"Cidr": "10.0.0.0/8", "Description": "ten"},
        {"Cidr": "11.0.0.0/8"},
    ]


def test_a_client_token_makes_one(world):
    assert create(world, ClientToken="t") == create(world, ClientToken="t")
    assert len(world.store.rows(PrefixList)) == 1


def test_each_change_of_entries_is_a_version_that_can_be_restored(world):
    id = create(world, "10.0.0.0/8")
    answer = change(world, id, 1, add=["11.0.0.0/8"], remove=["10.0.0.0/8"])
    assert (answer["State"], answer["Version"]) == ("modify-in-progress", 2)
    assert described(world, id)["State"] == "modify-complete"
    assert (cidrs(world, id), cidrs(world, id, 1)) == (["11.0.0.0/8"], ["10.0.0.0/8"])
    restored = world.restore_managed_prefix_list_version(PrefixListId=id, PreviousVersion=1, CurrentVersion=2)
    assert restored["PrefixList"]["State"] == "restore-in-progress"
    assert (described(world, id)["Version"], described(world, id)["State"]) == (3, "restore-complete")
    assert cidrs(world, id) == ["10.0.0.0/8"]
    assert refusal(cidrs, world=world, id=id, version=4)[0] == "InvalidParameterValue"
    assert refusal(cidrs, world=world, id=id, version=0)[0] == "InvalidParameterValue"


def test_a_change_must_know_the_version(world):
    id = create(world, "10.0.0.0/8")
    change(world, id, 1, add=["11.0.0.0/8"])
    wrong = ("PrefixListVersionMismatch", "The prefix list has the incorrect version number.")
    assert refusal(lambda: change(world, id, 1, add=["12.0.0.0/8"])) == wrong
    restore = {"PrefixListId": id, "PreviousVersion": 1, "CurrentVersion": 1}
    assert refusal(world.restore_managed_prefix_list_version, **restore) == wrong
    asked = {"PrefixListId": id, "AddEntries": [{"Cidr": "12.0.0.0/8"}]}
    assert refusal(world.modify_managed_prefix_list, **asked)[0] == "MissingParameter"
    assert described(world, id)["Version"] == 2


def test_name_and_size_change_without_a_version(world):
    id = create(world, "10.0.0.0/8", "11.0.0.0/8")
    world.modify_managed_prefix_list(PrefixListId=id, PrefixListName="home")
    world.modify_managed_prefix_list(PrefixListId=id, MaxEntries=2)
    now = described(world, id)
    assert (now["PrefixListName"], now["MaxEntries"], now["Version"]) == ("home", 2, 1)
    full = (
        "PrefixListMaxEntriesExceeded",
        "You've reached the maximum number of entries for the prefix list.",
    )
    assert refusal(world.modify_managed_prefix_list, PrefixListId=id, MaxEntries=1) == full
    assert refusal(lambda: change(world, id, 1, add=["12.0.0.0/8"])) == full
    both = {"PrefixListId": id, "MaxEntries": 3, "CurrentVersion": 1, "AddEntries": [{"Cidr": "12.0.0.0/8"}]}
    assert refusal(world.modify_managed_prefix_list, **both) == (
        "InvalidParameterCombination",
        "You cannot modify the entries and the maximum entries for the prefix list in the same request.",
    )


@pytest.mark.parametrize(
    ("add", "remove"),
    [
        (["10.0.0.0/8"], []),
        ([], ["12.0.0.0/8"]),
        (["10.0.0.0/8"], ["10.0.0.0/8"]),
        (["12.0.0.0/8", "12.0.0.0/8"], []),
        (["::/0"], []),
        (["12.0.0.0"], []),
        ([f"12.0.{number}.0/24" for number in range(101)], []),
    ],
)
def test_entries_that_cannot_be_changed_so_are_refused(world, add, remove):
    id = create(world, "10.0.0.0/8")
    assert refusal(lambda: change(world, id, 1, add=add, remove=remove))[0] == "InvalidParameterValue"
    assert described(world, id)["Version"] == 1


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"AddressFamily": "IPv5"}, "InvalidParameterValue"),
        ({"MaxEntries": 0}, "InvalidParameterValue"),
        ({"MaxEntries": 1001}, "InvalidParameterValue"),
        ({"PrefixListName": "com.amazonaws.mine"}, "InvalidParameterValue"),
        ({"PrefixListName": ""}, "InvalidParameterValue"),
    ],
)
def test_what_cannot_be_made_is_refused(world, asked, code):
    assert refusal(lambda: create(world, **asked))[0] == code
    assert world.store.rows(PrefixList) == []


def test_of_ancient_versions_the_number_alone_is_kept(world):
    id = create(world, "10.0.0.0/8")
    row = world.store.get(PrefixList, id)
    entries = tuple((PrefixEntry(cidr=f"10.{n // 256}.{n % 256}.0/24"),) for n in range(1000))
    world.store.update(row, versions=entries)
    assert change(world, id, 1000, add=["11.0.0.0/8"])["Version"] == 1001
    assert refusal(cidrs, world=world, id=id, version=1)[0] == "InvalidParameterValue"
    assert cidrs(world, id, 2) == ["10.0.1.0/24"]
    assert world.store.get(PrefixList, id).versions[0] == ()
    assert len(msgspec.msgpack.encode(world.store.get(PrefixList, id))) < 100_000


def test_who_uses_it_is_told_and_keeps_it(world):
    id, other = create(world, "10.0.0.0/8"), create(world)
    group = world.create_security_group(GroupName="web", Description="w")["GroupId"]
    rule = {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": id}]}
    world.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    users = world.get_managed_prefix_list_associations(PrefixListId=id)["PrefixListAssociations"]
    assert users == [{"ResourceId": group, "ResourceOwner": ACCOUNT}]
    assert refusal(world.delete_managed_prefix_list, PrefixListId=id)[0] == "DependencyViolation"
    world.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])
    gone = world.delete_managed_prefix_list(PrefixListId=id)["PrefixList"]
    assert gone["State"] == "delete-in-progress"
    assert refusal(described, world=world, id=id) == (
        "InvalidPrefixListID.NotFound",
        f"The prefix list ({id}) does not exist.",
    )
    assert [one["PrefixListId"] for one in world.describe_managed_prefix_lists()["PrefixLists"]] == [other]


def test_lists_are_found_by_name_and_come_in_pages(world):
    made = [create(world, PrefixListName=f"list-{number}") for number in range(3)]
    by_name = [{"Name": "prefix-list-name", "Values": ["*-1"]}]
    found = world.describe_managed_prefix_lists(Filters=by_name)["PrefixLists"]
    assert [one["PrefixListId"] for one in found] == made[1:2]
    first = world.describe_managed_prefix_lists(MaxResults=2)
    rest = world.describe_managed_prefix_lists(MaxResults=2, NextToken=first["NextToken"])
    ids = [one["PrefixListId"] for page in (first, rest) for one in page["PrefixLists"]]
    assert (ids, rest["NextToken"]) == (made, None)


def test_lists_of_aws_are_not_there(world):
    assert world.describe_prefix_lists()["PrefixLists"] == ()
    mine = create(world)
    assert refusal(world.describe_prefix_lists, PrefixListIds=[mine])[0] == "InvalidPrefixListID.NotFound"


def test_ipam_is_not_built(world):
    with pytest.raises(NotBuilt):
        world.modify_managed_prefix_list(PrefixListId=create(world), IpamPrefixListResolverSyncEnabled=True)
