"""Hosted zones from their creation to their end."""

import re

import pytest
from tests.support.api import refusal
from tests.unit.route53.conftest import STRANGER, vpc


def private(api, name="corp.test", reference="p", network="vpc-1"):
    made = api.create_hosted_zone(Name=name, CallerReference=reference, VPC=vpc(network))
    return made["HostedZone"]["Id"]


def test_a_new_zone_is_told_with_its_name_servers_and_its_change(api):
    made = api.create_hosted_zone(
        Name="Example.COM", CallerReference="1", HostedZoneConfig={"Comment": "hello"}
    )
    zone = made["HostedZone"]
    assert re.fullmatch(r"/hostedzone/Z[A-Z0-9]{13,20}", zone["Id"])
    assert zone == {
        "Id": zone["Id"],
        "Name": "example.com.",
        "CallerReference": "1",
        "Config": {"Comment": "hello", "PrivateZone": False},
        "ResourceRecordSetCount": 2,
    }
    servers = made["DelegationSet"]["NameServers"]
    assert sorted(server.partition(".awsdns-")[2].partition(".")[2] for server in servers) == [
        "co.uk",
        "com",
        "net",
        "org",
    ]
    assert made["ChangeInfo"]["Status"] == "PENDING"
    assert made["Location"].endswith(f"/2013-04-01{zone['Id']}")
    again = api.get_hosted_zone(Id=zone["Id"])
    assert (again["HostedZone"], again["DelegationSet"]["NameServers"]) == (zone, servers)


def test_one_caller_reference_makes_one_zone(api, zone):
    code, message = refusal(api.create_hosted_zone, Name="b.test", CallerReference="zone")
    assert (code, message) == (
        "HostedZoneAlreadyExists",
        "A hosted zone has already been created with the specified caller reference.",
    )
    assert api.by(STRANGER).create_hosted_zone(Name="b.test", CallerReference="zone")


@pytest.mark.parametrize("name", ["a..b", ".a", "x" * 64 + ".test", "a b.test", ".", "ü.test"])
def test_what_is_no_domain_name_is_refused(api, name):
    assert refusal(api.create_hosted_zone, Name=name, CallerReference="1")[0] == "InvalidDomainName"


def test_two_zones_of_one_name_have_no_name_server_in_common(api):
    sets = [
        set(api.create_hosted_zone(Name="same.test", CallerReference=str(n))["DelegationSet"]["NameServers"])
        for n in range(20)
    ]
    assert len(set().union(*sets)) == 80


def test_a_zone_of_another_account_is_not_there(api, zone):
    stranger = api.by(STRANGER)
    id = zone.rpartition("/")[2]
    for call in (stranger.get_hosted_zone, stranger.delete_hosted_zone, stranger.update_hosted_zone_comment):
        assert refusal(call, Id=zone) == ("NoSuchHostedZone", f"No hosted zone found with ID: {id}")


def test_a_deleted_zone_is_gone(api, zone):
    api.update_hosted_zone_comment(Id=zone, Comment="new")
    assert api.get_hosted_zone(Id=zone)["HostedZone"]["Config"]["Comment"] == "new"
    assert api.delete_hosted_zone(Id=zone)["ChangeInfo"]["Status"] == "PENDING"
    assert refusal(api.get_hosted_zone, Id=zone)[0] == "NoSuchHostedZone"
    assert api.get_hosted_zone_count()["HostedZoneCount"] == 0


def test_a_change_is_in_sync_when_every_name_server_has_it(api, servers):
    changes = [
        api.create_hosted_zone(Name="a.test", CallerReference=str(n))["ChangeInfo"]["Id"] for n in range(2)
    ]
    servers.number = 1
    assert [api.get_change(Id=id)["ChangeInfo"]["Status"] for id in changes] == ["INSYNC", "PENDING"]
    servers.number = 2
    assert api.get_change(Id=changes[1])["ChangeInfo"]["Status"] == "INSYNC"
    assert refusal(api.get_change, Id="C000") == ("NoSuchChange", "Could not find resource with ID: C000")
    assert refusal(api.by(STRANGER).get_change, Id=changes[0])[0] == "NoSuchChange"


def test_zones_are_listed_page_by_page(api):
    ids = {
        api.create_hosted_zone(Name=f"{n}.test", CallerReference=str(n))["HostedZone"]["Id"] for n in range(5)
    }
    pages = api.every("list_hosted_zones", PaginationConfig={"PageSize": 2})
    assert [len(page["HostedZones"]) for page in pages] == [2, 2, 1]
    assert {zone["Id"] for page in pages for zone in page["HostedZones"]} == ids
    assert refusal(api.list_hosted_zones, MaxItems="none")[0] == "InvalidInput"


def test_zones_are_listed_by_their_reversed_names(api):
    for name in ("b.com", "a.org", "z.a.com", "a.com", "com"):
        api.create_hosted_zone(Name=name, CallerReference=name)
    first = api.list_hosted_zones_by_name(MaxItems="3")
    assert [zone["Name"] for zone in first["HostedZones"]] == ["com.", "a.com.", "z.a.com."]
    assert first["NextDNSName"] == "b.com."
    rest = api.list_hosted_zones_by_name(DNSName=first["NextDNSName"], HostedZoneId=first["NextHostedZoneId"])
    assert [zone["Name"] for zone in rest["HostedZones"]] == ["b.com.", "a.org."]
    assert rest["IsTruncated"] is False
    assert refusal(api.list_hosted_zones_by_name, HostedZoneId="Z1")[0] == "InvalidInput"


def test_a_private_zone_has_vpcs_and_no_delegation_set(api):
    zone = private(api)
    told = api.get_hosted_zone(Id=zone)
    assert told["VPCs"] == [vpc("vpc-1")]
    assert told["HostedZone"]["Config"]["PrivateZone"] is True
    assert "DelegationSet" not in told
    assert (
        refusal(api.create_hosted_zone, Name="a.test", CallerReference="x", VPC=vpc("vpc-9"))[0]
        == "InvalidVPCId"
    )
    assert (
        refusal(
            api.create_hosted_zone, Name="a.test", CallerReference="x", HostedZoneConfig={"PrivateZone": True}
        )[0]
        == "InvalidInput"
    )


def test_a_vpc_hears_one_zone_of_a_name(api):
    zone = private(api).rpartition("/")[2]
    code, message = refusal(private, api=api, reference="q")
    assert code == "ConflictingDomainExists"
    assert message == (
        f"The VPC vpc-1 in region us-east-1 has already been associated with the hosted zone {zone} with the same "
        "domain name."
    )


def test_vpcs_come_and_go_but_for_the_last(api, zone):
    inside = private(api)
    api.associate_vpc_with_hosted_zone(HostedZoneId=inside, VPC=vpc("vpc-2", "eu-west-1"))
    listed = api.list_hosted_zones_by_vpc(VPCId="vpc-2", VPCRegion="eu-west-1")["HostedZoneSummaries"]
    assert [each["Name"] for each in listed] == ["corp.test."]
    api.disassociate_vpc_from_hosted_zone(HostedZoneId=inside, VPC=vpc("vpc-1"))
    assert api.get_hosted_zone(Id=inside)["VPCs"] == [vpc("vpc-2", "eu-west-1")]
    assert refusal(api.disassociate_vpc_from_hosted_zone, HostedZoneId=inside, VPC=vpc("vpc-1"))[0] == (
        "VPCAssociationNotFound"
    )
    assert refusal(
        api.disassociate_vpc_from_hosted_zone, HostedZoneId=inside, VPC=vpc("vpc-2", "eu-west-1")
    ) == ("LastVPCAssociation", "Cannot remove last VPC association for the private zone")
    assert refusal(api.associate_vpc_with_hosted_zone, HostedZoneId=zone, VPC=vpc("vpc-1"))[0] == (
        "PublicZoneVPCAssociation"
    )


def test_another_account_associates_its_vpc_when_it_was_authorized(api):
    inside, stranger = private(api), api.by(STRANGER)
    asked = {"HostedZoneId": inside, "VPC": vpc("vpc-9")}
    assert refusal(stranger.associate_vpc_with_hosted_zone, **asked) == (
        "NotAuthorizedException",
        "The VPC: vpc-9 has not authorized to associate with your hosted zone.",
    )
    api.create_vpc_association_authorization(**asked)
    assert api.list_vpc_association_authorizations(HostedZoneId=inside)["VPCs"] == [vpc("vpc-9")]
    stranger.associate_vpc_with_hosted_zone(**asked)
    api.delete_vpc_association_authorization(**asked)
    assert (
        refusal(api.delete_vpc_association_authorization, **asked)[0] == "VPCAssociationAuthorizationNotFound"
    )
    assert vpc("vpc-9") in api.get_hosted_zone(Id=inside)["VPCs"]
    stranger.disassociate_vpc_from_hosted_zone(**asked)
    assert api.get_hosted_zone(Id=inside)["VPCs"] == [vpc("vpc-1")]


def test_zones_share_a_reusable_delegation_set(api, zone):
    made = api.create_reusable_delegation_set(CallerReference="1")["DelegationSet"]
    asked = {"DelegationSetId": made["Id"]}
    second = api.create_hosted_zone(Name="b.test", CallerReference="b", **asked)
    assert second["DelegationSet"]["NameServers"] == made["NameServers"]
    assert len(api.list_hosted_zones(**asked)["HostedZones"]) == 1
    limit = api.get_reusable_delegation_set_limit(Type="MAX_ZONES_BY_REUSABLE_DELEGATION_SET", **asked)
    assert limit["Count"] == 1
    assert refusal(api.delete_reusable_delegation_set, Id=made["Id"])[0] == "DelegationSetInUse"
    api.delete_hosted_zone(Id=second["HostedZone"]["Id"])
    api.delete_reusable_delegation_set(Id=made["Id"])
    assert refusal(api.get_reusable_delegation_set, Id=made["Id"])[0] == "NoSuchDelegationSet"


def test_the_delegation_set_of_a_zone_can_be_made_reusable(api, zone):
    made = api.create_reusable_delegation_set(CallerReference="1", HostedZoneId=zone)["DelegationSet"]
    assert made["NameServers"] == api.get_hosted_zone(Id=zone)["DelegationSet"]["NameServers"]
    assert [each["Id"] for each in api.list_reusable_delegation_sets()["DelegationSets"]] == [made["Id"]]
    assert (
        refusal(api.create_reusable_delegation_set, CallerReference="1")[0] == "DelegationSetAlreadyCreated"
    )
    assert refusal(api.create_reusable_delegation_set, CallerReference="2", HostedZoneId=zone)[0] == (
        "DelegationSetAlreadyReusable"
    )


def test_limits_are_told_with_what_is_used(api, zone):
    assert api.get_account_limit(Type="MAX_HOSTED_ZONES_BY_OWNER") == {
        "Limit": {"Type": "MAX_HOSTED_ZONES_BY_OWNER", "Value": 500},
        "Count": 1,
    }
    assert api.get_hosted_zone_limit(Type="MAX_RRSETS_BY_ZONE", HostedZoneId=zone)["Count"] == 2
    asked = {"Type": "MAX_VPCS_ASSOCIATED_BY_ZONE"}
    assert refusal(api.get_hosted_zone_limit, HostedZoneId=zone, **asked)[0] == "HostedZoneNotPrivate"
    assert api.get_hosted_zone_limit(HostedZoneId=private(api), **asked)["Count"] == 1


def test_zones_have_tags(api, zone):
    id = zone.rpartition("/")[2]
    asked = {"ResourceType": "hostedzone", "ResourceId": id}
    api.change_tags_for_resource(**asked, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    api.change_tags_for_resource(**asked, AddTags=[{"Key": "b", "Value": "3"}], RemoveTagKeys=["a"])
    tags = {**asked, "Tags": [{"Key": "b", "Value": "3"}]}
    assert api.list_tags_for_resource(**asked)["ResourceTagSet"] == tags
    assert api.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[id])["ResourceTagSets"] == [
        tags
    ]
    many = [{"Key": str(n), "Value": ""} for n in range(10)]
    assert refusal(api.change_tags_for_resource, **asked, AddTags=many)[0] == "InvalidInput"


def test_what_is_not_built_names_itself(api, zone):
    code, message = refusal(
        api.update_hosted_zone_features, HostedZoneId=zone, EnableAcceleratedRecovery=True
    )
    assert (code, message) == ("NotImplemented", "Accelerated recovery of hosted zones is not built")
    assert (
        refusal(
            api.create_hosted_zone,
            Name="a.test",
            CallerReference="a",
            HostedZoneConfig={"HostedZoneTier": "ADVANCED"},
        )[0]
        == "NotImplemented"
    )
