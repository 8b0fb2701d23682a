"""Security groups: what they are born with, how they are named, found and deleted."""

import pytest
from tests.unit.ec2.vpc.cloud import Cloud
from tests.unit.ec2.vpc.world import ACCOUNT, refusal

from cloudstead.services.ec2.network_rows import SecurityGroup, SecurityGroupRule, Vpc


@pytest.fixture
def cloud():
    return Cloud()


def create(cloud, name="web", **more):
    return cloud.create_security_group(GroupName=name, Description="for tests", **more)["GroupId"]


def described(cloud, id):
    (group,) = cloud.describe_security_groups(GroupIds=[id])["SecurityGroups"]
    return group


def tcp(port, cidr="0.0.0.0/0"):
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": cidr}]}


ALL = {
    "IpProtocol": "-1",
    "UserIdGroupPairs": [],
    "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    "Ipv6Ranges": [],
    "PrefixListIds": [],
}


def test_a_new_group_lets_everything_out_and_nothing_in(cloud):
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}]
    answer = cloud.create_security_group(GroupName="web", Description="for tests", TagSpecifications=tags)
    group = described(cloud, answer["GroupId"])
    assert answer["SecurityGroupArn"] == group["SecurityGroupArn"]
    assert group["SecurityGroupArn"] == f"arn:aws:ec2:us-east-1:{ACCOUNT}:security-group/{group['GroupId']}"
    assert (group["GroupName"], group["Description"], group["OwnerId"]) == ("web", "for tests", ACCOUNT)
    assert group["VpcId"] == cloud.default_vpc()
    assert group["Tags"] == answer["Tags"] == [{"Key": "a", "Value": "b"}]
    assert group["IpPermissions"] == []
    assert group["IpPermissionsEgress"] == [ALL]


def test_members_of_the_default_group_may_talk_to_each_other(cloud):
    vpc = cloud.vpc(AmazonProvidedIpv6CidrBlock=True)
    group = described(cloud, cloud.default_group(vpc))
    assert group["Description"] == "default VPC security group"
    assert group["IpPermissions"] == [
        {**ALL, "IpRanges": [], "UserIdGroupPairs": [{"UserId": ACCOUNT, "GroupId": group["GroupId"]}]}
    ]
    assert group["IpPermissionsEgress"] == [{**ALL, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}]


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ({"GroupName": "default"}, "InvalidGroup.Reserved", None),
        ({"GroupName": "sg-mine"}, "InvalidParameterValue", None),
        ({"GroupName": "ä"}, "InvalidParameterValue", None),
        ({"GroupName": "x" * 256}, "InvalidParameterValue", None),
        ({"Description": "ä"}, "InvalidParameterValue", "Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"),
        ({"Description": ""}, "MissingParameter", "The request must contain the parameter GroupDescription"),
        ({"VpcId": "vpc-0123456789abcdef0"}, "InvalidVpcID.NotFound", "The vpc ID 'vpc-0123456789abcdef0' does not exist"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused(cloud, asked, code, message):
    before = cloud.store.counts()
    said = refusal(cloud.create_security_group, **{"GroupName": "web", "Description": "w", **asked})
    assert said[0] == code
    assert message in (None, said[1])
    assert cloud.store.counts() == before


def test_a_name_is_taken_once_in_each_vpc(cloud):
    create(cloud)
    vpc = cloud.default_vpc()
    assert refusal(create, cloud=cloud) == (
        "InvalidGroup.Duplicate",
        f"The security group 'web' already exists for VPC '{vpc}'",
    )
    create(cloud, VpcId=cloud.vpc())


def test_groups_are_found_by_name_in_the_default_vpc_alone(cloud):
    mine, vpc = create(cloud), cloud.vpc()
    create(cloud, "other", VpcId=vpc)
    found = cloud.describe_security_groups(GroupNames=["web"])["SecurityGroups"]
    assert [group["GroupId"] for group in found] == [mine]
    assert refusal(cloud.describe_security_groups, GroupNames=["other"]) == (
        "InvalidGroup.NotFound",
        f"The security group 'other' does not exist in default VPC '{cloud.default_vpc()}'",
    )
    assert cloud.delete_security_group(GroupName="web") == {"Return": True, "GroupId": mine}
    assert refusal(cloud.delete_security_group) == (
        "MissingParameter",
        "The request must contain the parameter groupName or groupId",
    )


def test_what_others_depend_on_is_not_deleted(cloud):
    web, db = create(cloud), create(cloud, "db")
    cloud.authorize_security_group_ingress(
        GroupId=db, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": web}]}]
    )
    assert refusal(cloud.delete_security_group, GroupId=web) == (
        "DependencyViolation",
        f"resource {web} has a dependent object",
    )
    eni = cloud.create_network_interface(SubnetId=cloud.default_subnet(), Groups=[db])["NetworkInterface"]
    assert refusal(cloud.delete_security_group, GroupId=db)[0] == "DependencyViolation"
    cloud.delete_network_interface(NetworkInterfaceId=eni["NetworkInterfaceId"])
    cloud.delete_security_group(GroupId=db)
    cloud.delete_security_group(GroupId=web)
    assert cloud.store.rows(SecurityGroupRule, group_id=db) == []
    assert refusal(described, cloud=cloud, id=web) == (
        "InvalidGroup.NotFound",
        f"The security group '{web}' does not exist",
    )


def test_a_group_that_names_itself_can_go(cloud):
    web = create(cloud)
    cloud.authorize_security_group_ingress(GroupId=web, SourceSecurityGroupName="web")
    cloud.delete_security_group(GroupId=web)


def test_the_default_group_stays(cloud):
    default = cloud.default_group()
    assert refusal(cloud.delete_security_group, GroupId=default) == (
        "CannotDelete",
        f'the specified group: "{default}" name: "default" cannot be deleted by a user',
    )


def test_filters_look_into_the_rules(cloud):
    web, db = create(cloud), create(cloud, "db")
    ranges = {"IpRanges": [{"CidrIp": "10.0.0.0/8"}], "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]}
    cloud.authorize_security_group_ingress(
        GroupId=web,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 80,
                "ToPort": 443,
                **ranges,
                "UserIdGroupPairs": [{"GroupId": db}],
            }
        ],
    )
    cloud.authorize_security_group_egress(GroupId=db, IpPermissions=[tcp(25)])

    def ids(name, value):
        found = cloud.describe_security_groups(Filters=[{"Name": name, "Values": [value]}])
        return [group["GroupId"] for group in found["SecurityGroups"]]

    finds = {
        "ip-permission.cidr": "10.0.0.0/8",
        "ip-permission.ipv6-cidr": "2001:db8::/32",
        "ip-permission.from-port": "80",
        "ip-permission.to-port": "443",
        "ip-permission.protocol": "tcp",
        "ip-permission.group-id": db,
        "ip-permission.group-name": "db",
        "group-name": "web",
        "group-id": web,
    }
    for name, value in finds.items():
        assert ids(name, value) == [web], name
    assert ids("egress.ip-permission.from-port", "25") == [db]
    assert ids("egress.ip-permission.cidr", "10.0.0.0/8") == []
    assert set(ids("vpc-id", cloud.default_vpc())) == {web, db, cloud.default_group()}
    assert set(ids("description", "for*")) == {web, db}


def test_groups_come_in_pages(cloud):
    made = {create(cloud, f"g{number}") for number in range(6)}
    first = cloud.describe_security_groups(MaxResults=5)
    rest = cloud.describe_security_groups(MaxResults=5, NextToken=first["NextToken"])
    ids = [group["GroupId"] for page in (first, rest) for group in page["SecurityGroups"]]
    assert set(ids) == made | {cloud.default_group()}
    assert len(ids) == 7


def test_groups_of_a_vpc_are_listed_and_without_peers_none_is_stale(cloud):
    vpc = cloud.vpc()
    web = create(cloud, VpcId=vpc)
    found = cloud.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    assert {group["GroupId"] for group in found} == {web, cloud.default_group(vpc)}
    assert {group["PrimaryVpcId"] for group in found} == {vpc}
    assert cloud.describe_security_group_references(GroupId=[web]) == {"SecurityGroupReferenceSet": []}
    assert cloud.describe_stale_security_groups(VpcId=vpc)["StaleSecurityGroupSet"] == ()
    unknown = "sg-0123456789abcdef0"
    assert refusal(cloud.describe_security_group_references, GroupId=[unknown])[0] == (
        "InvalidGroup.NotFound"
    )


def test_a_vpc_takes_its_groups_along(cloud):
    vpc = cloud.vpc()
    cloud.delete_vpc(VpcId=vpc)
    assert cloud.store.rows(SecurityGroup, vpc_id=vpc) == []
    assert cloud.store.rows(SecurityGroupRule, vpc_id=vpc) == []


def test_without_a_default_vpc_groups_go_by_id_alone(cloud):
    web = create(cloud, VpcId=cloud.vpc())
    cloud.store.update(cloud.store.rows(Vpc, is_default=True)[0], is_default=False)
    assert refusal(cloud.delete_security_group, GroupName="web") == (
        "VPCIdNotSpecified",
        "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.",
    )
    assert refusal(create, cloud=cloud) == ("VPCIdNotSpecified", "No default VPC for this user")
    cloud.delete_security_group(GroupId=web)
