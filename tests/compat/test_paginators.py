"""Every paginator that botocore has for a built operation: all pages together are what one call gives.

Pages are as small as AWS allows, and of everything that AWS's quotas let us there is more than one page.
"""

import json
import time

import botocore.session
import pytest
from botocore.exceptions import ClientError
from tests.compat import resolver_pages

from cloudstead.app.operations import snake_case
from cloudstead.app.tables import SERVICES, built_operations

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
TAGS = [{"Key": key, "Value": "x"} for key in ("a", "B", "c")]

#: As small as a page may be where botocore's model does not say.
_LEAST = {
    "DescribeImages": 5,
    "DescribeInstanceStatus": 5,
    "DescribeInstances": 5,
    "DescribeLaunchTemplateVersions": 1,
    "DescribePrefixLists": 5,
    "DescribeTags": 5,
    "DescribeVolumeStatus": 5,
    "DescribeVolumes": 5,
}
#: AWS's quotas, or what there is at all, leave no more of these than the smallest page holds.
_ONE_PAGE = {
    "DescribeEgressOnlyInternetGateways",
    "DescribeInternetGateways",
    "DescribePrefixLists",
    "DescribeStaleSecurityGroups",
    "DescribeVpcs",
    "GetManagedPrefixListAssociations",
    "ListAccountAliases",
    "ListKeyPolicies",
}
#: What is where the next page begins is no secret here: any key, also one that nobody was told.
_ANY_TOKEN = {
    "ListHealthChecks",
    "ListHostedZones",
    "ListMultipartUploads",
    "ListObjectVersions",
    "ListObjects",
    "ListResourceRecordSets",
}
_REFUSED = {
    "iam": "ValidationError",
    "kms": "InvalidMarkerException",
    "route53": "InvalidInput",
    "route53resolver": "InvalidNextTokenException",
    "s3": "InvalidArgument",
    "route53domains": "InvalidInput",
}
_SESSION = botocore.session.get_session()


def _paginated():
    for service in SERVICES:
        try:
            model = _SESSION.get_paginator_model(service)
        except botocore.exceptions.UnknownServiceError:
            continue  # one without paginators, as STS
        for operation in sorted(built_operations(service)):
            if operation in model._paginator_config:
                yield service, operation, model._paginator_config[operation]


PAGINATED = list(_paginated())


@pytest.fixture(scope="module")
def full(simulated):
    """Clients of a cloud with more than a page of everything, and what to ask for where an operation must be told."""
    asked = {**_iam(simulated.client("iam")), **_ssm(simulated.client("ssm"))}
    clients = {service: simulated.client(service, validate=False) for service in SERVICES}
    asked |= _kms(simulated.client("kms"))
    asked |= resolver_pages.fill(simulated.client("route53resolver"), simulated.client("ec2"), TAGS)
    _domains(simulated.client("route53domains"))
    asked |= {**_s3(simulated.client("s3")), **_ec2(simulated)}
    return clients, {**asked, **_route53(simulated.client("route53"), simulated.client("ec2"))}


def _iam(iam):
    """Three of everything and around one of each, which is called `it`."""
    for name in ("it", "b", "C"):
        arn = iam.create_policy(PolicyName=name, PolicyDocument=POLICY, Tags=TAGS)["Policy"]["Arn"]
        iam.create_user(UserName=name, Tags=TAGS)
        iam.create_group(GroupName=name)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=TAGS)
        iam.create_instance_profile(InstanceProfileName=name, Tags=TAGS)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName="it")
        iam.add_user_to_group(GroupName="it", UserName=name)
        if name != "it":
            iam.add_user_to_group(GroupName=name, UserName="it")
        for kind in ("User", "Group", "Role"):
            put = getattr(iam, f"put_{kind.lower()}_policy")
            put(**{f"{kind}Name": "it"}, PolicyName=name, PolicyDocument=POLICY)
            getattr(iam, f"attach_{kind.lower()}_policy")(**{f"{kind}Name": "it"}, PolicyArn=arn)
        if name == "it":
            for _ in range(2):
                iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)
                iam.create_access_key(UserName="it")
            the_policy = {"PolicyArn": arn}
    iam.create_account_alias(AccountAlias="pages-of-it")
    user, group, role = {"UserName": "it"}, {"GroupName": "it"}, {"RoleName": "it"}
    return {
        "GetGroup": group,
        "ListAccessKeys": user,
        "ListAttachedGroupPolicies": group,
        "ListAttachedRolePolicies": role,
        "ListAttachedUserPolicies": user,
        "ListEntitiesForPolicy": the_policy,
        "ListGroupPolicies": group,
        "ListGroupsForUser": user,
        "ListInstanceProfilesForRole": role,
        "ListInstanceProfileTags": {"InstanceProfileName": "it"},
        "ListPolicyTags": the_policy,
        "ListPolicyVersions": the_policy,
        "ListRolePolicies": role,
        "ListRoleTags": role,
        "ListUserPolicies": user,
        "ListUserTags": user,
    }


def _ssm(ssm):
    for name in ("/it/a", "/it/b", "/it/c"):
        for value in "xyz":
            ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    return {"GetParametersByPath": {"Path": "/it"}, "GetParameterHistory": {"Name": "/it/a"}}


def _kms(kms):
    """Three keys and aliases, and one of the keys with three tags and rotated three times."""
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in TAGS]
    for name in ("it", "b", "C"):
        key = kms.create_key(Tags=tags)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
        kms.rotate_key_on_demand(KeyId=key)
    kms.rotate_key_on_demand(KeyId=key)
    one = {"KeyId": key}
    return {"ListKeyPolicies": one, "ListKeyRotations": one, "ListResourceTags": one}


def _s3(s3):
    """Three buckets, and in one of them three keys under prefixes and three not, each in two versions and with an upload."""
    for name in ("it-is-a-bucket", "another-bucket", "a-third-bucket"):
        s3.create_bucket(Bucket=name)
    bucket = {"Bucket": "it-is-a-bucket"}
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "b/x", "b/y", "c", "d/z", "e"):
        for body in (b"1", b"2"):
            s3.put_object(**bucket, Key=key, Body=body)
        upload = {"Key": key, "UploadId": s3.create_multipart_upload(**bucket, Key=key)["UploadId"]}
    s3.delete_object(**bucket, Key="e")
    for number in (1, 2, 3):
        s3.upload_part(**bucket, **upload, PartNumber=number, Body=b"part")
    return {
        "ListBuckets": {"BucketRegion": "us-east-1"},
        "ListMultipartUploads": {**bucket, "Delimiter": "/"},
        "ListObjects": {**bucket, "Delimiter": "/"},
        "ListObjectsV2": {**bucket, "Delimiter": "/"},
        "ListObjectVersions": {**bucket, "Delimiter": "/"},
        "ListParts": {**bucket, **upload},
    }


def _domains(domains):
    """Three, each with its operation and its bill."""
    ann = {
        "FirstName": "Ann",
        "LastName": "Example",
        "ContactType": "PERSON",
        "AddressLine1": "1 Main Street",
        "City": "Vienna",
        "CountryCode": "AT",
        "ZipCode": "1010",
        "PhoneNumber": "+43.1234567",
        "Email": "ann@example.net",
    }
    contacts = {f"{role}Contact": ann for role in ("Admin", "Registrant", "Tech")}
    for name in ("it.com", "b.org", "c.net"):
        domains.register_domain(DomainName=name, DurationInYears=1, **contacts)
    deadline = time.monotonic() + 30
    while len(domains.list_domains()["Domains"]) < 3:
        assert time.monotonic() < deadline, domains.list_operations()
        time.sleep(0.05)


def _route53(route53, ec2):
    """Three zones, checks and collections, and three blocks and authorizations in one of each."""
    vpcs = [
        {"VPCRegion": "us-east-1", "VPCId": ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]}
        for _ in range(3)
    ]
    for name in ("it", "b", "c"):
        zone = route53.create_hosted_zone(Name=f"{name}.test", CallerReference=name, VPC=vpcs[0])
        config = {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 80}
        route53.create_health_check(CallerReference=name, HealthCheckConfig=config)
        collection = route53.create_cidr_collection(Name=name, CallerReference=name)["Collection"]["Id"]
    for n, vpc in enumerate(vpcs):
        route53.create_vpc_association_authorization(HostedZoneId=zone["HostedZone"]["Id"], VPC=vpc)
        change = {"LocationName": f"at-{n}", "Action": "PUT", "CidrList": [f"192.0.{n}.0/24"]}
        route53.change_cidr_collection(Id=collection, Changes=[change])
    return {
        "ListCidrBlocks": {"CollectionId": collection},
        "ListCidrLocations": {"CollectionId": collection},
        "ListResourceRecordSets": {"HostedZoneId": zone["HostedZone"]["Id"]},
        "ListVPCAssociationAuthorizations": {"HostedZoneId": zone["HostedZone"]["Id"]},
    }


def _ec2(cloud):
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{'ab'[n % 2]}")
        for n in range(6)
    ]
    for n, subnet in enumerate(subnets):
        ec2.create_nat_gateway(SubnetId=subnet["Subnet"]["SubnetId"], ConnectivityType="private")
        ec2.create_dhcp_options(DhcpConfigurations=[{"Key": "domain-name", "Values": [f"d{n}.example"]}])
        ec2.create_security_group(GroupName=f"g{n}", Description="g", VpcId=vpc)
        ec2.create_route_table(VpcId=vpc)
        ec2.create_network_acl(VpcId=vpc)
        ec2.create_launch_template(
            LaunchTemplateName=f"lt-{n}", LaunchTemplateData={"InstanceType": "t3.micro"}
        )
        ec2.create_launch_template_version(
            LaunchTemplateName="lt-0", LaunchTemplateData={"InstanceType": "t3.nano"}
        )
    ec2.create_egress_only_internet_gateway(VpcId=vpc)
    for _ in range(2):
        ec2.allocate_address()
    entries = [{"Cidr": f"192.0.2.{n}/32"} for n in range(3)]
    lists = [
        ec2.create_managed_prefix_list(
            PrefixListName=name, AddressFamily="IPv4", MaxEntries=3, Entries=entries
        )
        for name in ("it", "other")
    ]
    _instances(cloud, ec2)
    prefix_list = {"PrefixListId": lists[0]["PrefixList"]["PrefixListId"]}
    return {
        "DescribeInstanceStatus": {"IncludeAllInstances": True},
        "DescribeLaunchTemplateVersions": {"LaunchTemplateName": "lt-0"},
        "DescribeStaleSecurityGroups": {"VpcId": vpc},
        "GetManagedPrefixListAssociations": prefix_list,
        "GetManagedPrefixListEntries": prefix_list,
        "GetSecurityGroupsForVpc": {"VpcId": vpc},
    }


def _instances(cloud, ec2):
    """Six, each of a reservation of its own, with all that belongs to one."""
    tiny = ec2.describe_images(Filters=[{"Name": "name", "Values": ["cloudstead-tiny-*"]}])["Images"][0]
    for _ in range(6):
        (one,) = ec2.run_instances(
            ImageId=tiny["ImageId"],
            InstanceType="t3.nano",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": TAGS}],
            IamInstanceProfile={"Name": "it"},
        )["Instances"]
        ec2.get_waiter("instance_running").wait(
            InstanceIds=[one["InstanceId"]], WaiterConfig={"Delay": 0.05, "MaxAttempts": 400}
        )


def _found(answer, config):
    """The elements of an answer, of all the lists it has, in a form that compares."""
    keys = config["result_key"]
    return [
        json.dumps(one, default=str, sort_keys=True)
        for key in ([keys] if isinstance(keys, str) else keys)
        for one in answer.get(key, ())
    ]


def _least(service, operation, config):
    member = (
        _SESSION.get_service_model(service)
        .operation_model(operation)
        .input_shape.members[config["limit_key"]]
    )
    return member.metadata.get("min") or (
        1 if service in ("s3", "route53", "route53domains") else _LEAST[operation]
    )


@pytest.mark.parametrize(
    ("service", "operation", "config"), PAGINATED, ids=[f"{one[0]}-{one[1]}" for one in PAGINATED]
)
def test_all_pages_together_are_the_whole(full, service, operation, config):
    if "limit_key" not in config:
        pytest.skip("botocore's paginator of it knows no size")
    clients, asked = full
    told, method = asked.get(operation, {}), snake_case(operation)
    client, size = clients[service], _least(service, operation, config)
    most = {"Scope": "Local"} if operation == "ListPolicies" else {}
    whole = _found(client.get_paginator(method).paginate(**told, **most).build_full_result(), config)
    pages = list(client.get_paginator(method).paginate(**told, **most, PaginationConfig={"PageSize": size}))
    found = [one for page in pages for one in _found(page, config)]
    assert sorted(found) == sorted(whole)
    assert len(set(found)) == len(found)
    assert all(len(_found(page, config)) <= size for page in pages)
    assert len(pages) == max(1, -(-len(whole) // size))
    assert len(pages) > 1 or operation in _ONE_PAGE
    assert not pages[-1].get("NextToken")
    assert service in ("s3", "route53") or not pages[-1].get("Marker")  # their answers say what was asked for
    assert not pages[-1].get("IsTruncated")


@pytest.mark.parametrize(
    ("service", "operation", "config"), PAGINATED, ids=[f"{one[0]}-{one[1]}" for one in PAGINATED]
)
def test_a_token_that_nobody_gave_is_refused(full, service, operation, config):
    clients, asked = full
    if operation in _ANY_TOKEN:
        pytest.skip("its token is a key")
    call = getattr(clients[service], snake_case(operation))
    with pytest.raises(ClientError) as refused:
        call(**asked.get(operation, {}), **{config["input_token"]: "nobody-gave-this"})
    wanted = _REFUSED.get(service, "InvalidNextToken")
    if operation == "ListVPCAssociationAuthorizations":
        wanted = "InvalidPaginationToken"
    if operation.startswith("ListFirewall"):
        wanted = "ValidationException"  # of the resolver's operations, those that are younger
    assert refused.value.response["Error"]["Code"] == wanted


def test_a_page_is_never_smaller_or_larger_than_aws_has_it(full):
    clients, asked = full
    for operation, least in _LEAST.items():
        call = getattr(clients["ec2"], snake_case(operation))
        for size in (least - 1, 1001):
            with pytest.raises(ClientError, match="InvalidParameterValue"):
                call(**asked.get(operation, {}), MaxResults=size)
