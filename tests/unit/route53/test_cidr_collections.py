"""CIDR collections."""

import pytest
from tests.support.api import refusal
from tests.unit.route53.conftest import STRANGER, record


@pytest.fixture
def collection(api):
    return api.create_cidr_collection(Name="isp", CallerReference="1")["Collection"]["Id"]


@pytest.fixture
def put(api, collection):
    def change(location, *blocks, action="PUT", **more):
        changes = [{"LocationName": location, "Action": action, "CidrList": list(blocks)}]
        return api.change_cidr_collection(Id=collection, Changes=changes, **more)

    return change


def test_blocks_come_and_go_by_location(api, put, collection):
    put("home", "192.0.2.0/24", "2001:db8::/48")
    put("work", "198.51.100.0/24", CollectionVersion=2)
    found = api.list_cidr_blocks(CollectionId=collection)["CidrBlocks"]
    assert {(each["LocationName"], each["CidrBlock"]) for each in found} == {
        ("home", "192.0.2.0/24"),
        ("home", "2001:db8::/48"),
        ("work", "198.51.100.0/24"),
    }
    put("work", "198.51.100.0/24", action="DELETE_IF_EXISTS")
    assert api.list_cidr_locations(CollectionId=collection)["CidrLocations"] == [{"LocationName": "home"}]
    assert api.list_cidr_collections()["CidrCollections"][0]["Version"] == 4
    assert refusal(api.list_cidr_blocks, CollectionId=collection, LocationName="work")[0] == (
        "NoSuchCidrLocationException"
    )


def test_blocks_are_refused_that_are_taken_or_too_small(put):
    put("home", "192.0.2.0/24")
    for block, code in (
        ("192.0.2.0/24", "CidrBlockInUseException"),
        ("192.0.2.0/25", "InvalidInput"),
        ("2001:db8::/64", "InvalidInput"),
        ("192.0.2.1/24", "InvalidInput"),
    ):
        assert refusal(lambda block=block: put("work", block))[0] == code


def test_a_change_says_which_version_it_means(put):
    put("home", "192.0.2.0/24")
    assert refusal(lambda: put("home", "198.51.100.0/24", CollectionVersion=1))[0] == (
        "CidrCollectionVersionMismatchException"
    )


def test_a_collection_goes_when_nothing_is_in_it(api, put, collection):
    put("home", "192.0.2.0/24")
    assert refusal(api.delete_cidr_collection, Id=collection)[0] == "CidrCollectionInUseException"
    put("home", "192.0.2.0/24", action="DELETE_IF_EXISTS")
    assert refusal(api.by(STRANGER).delete_cidr_collection, Id=collection)[0] == (
        "NoSuchCidrCollectionException"
    )
    api.delete_cidr_collection(Id=collection)
    assert api.list_cidr_collections()["CidrCollections"] == []


def test_one_account_has_one_collection_of_a_name(api, collection):
    for asked in ({"Name": "isp", "CallerReference": "2"}, {"Name": "b", "CallerReference": "1"}):
        assert refusal(api.create_cidr_collection, **asked)[0] == "CidrCollectionAlreadyExistsException"


def test_a_record_set_names_a_location_that_is_there(change, collection):
    given = record(
        "a.example.com",
        "A",
        "192.0.2.1",
        SetIdentifier="1",
        CidrRoutingConfig={"CollectionId": collection, "LocationName": "none"},
    )
    assert refusal(lambda: change("CREATE", given)) == (
        "InvalidChangeBatch",
        f"[The CIDR location none doesn't exist in the collection {collection}.]",
    )
