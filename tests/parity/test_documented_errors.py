"""The error codes of EC2's reference, provoked: each operation that is built refuses with the documented code, status 400.

Where AWS's wording is known it is compared, with ids and the like made alike.
"""

import pytest
from botocore.exceptions import ClientError

_NO = "0123456789abcdef0"


def _launch(**more):
    return lambda account: account.ec2.run_instances(
        **{"ImageId": account.image, "InstanceType": "t2.micro", "MinCount": 1, "MaxCount": 1, **more}
    )


def _twice(name, **asked):
    def ask(account):
        getattr(account.ec2, name)(**asked)
        getattr(account.ec2, name)(**asked)

    return ask


def _ask(name, **asked):
    return lambda account: getattr(account.ec2, name)(**asked)


def _rule(account, group, **more):
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "10.0.0.0/8"}], **more}
    account.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def _duplicate_rule(account):
    group = account.group()
    _rule(account, group)
    _rule(account, group)


def _no_rule(account):
    rule = {"IpProtocol": "tcp", "FromPort": 9, "ToPort": 9, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    account.ec2.revoke_security_group_ingress(GroupId=account.group(), IpPermissions=[rule])


def _duplicate_group(account):
    account.group("mine")
    account.group("mine")


def _vpc_in_use(account):
    account.subnet()
    account.ec2.delete_vpc(VpcId=account.vpc)


def _default_group(account):
    found = account.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [account.vpc]}])
    account.ec2.delete_security_group(GroupId=found["SecurityGroups"][0]["GroupId"])


def _overlap(account):
    account.ec2.create_subnet(VpcId=account.vpc, CidrBlock="10.0.0.0/24")
    account.ec2.create_subnet(VpcId=account.vpc, CidrBlock="10.0.0.0/25")


def _second_gateway(account):
    account.gateway(attached=True)
    account.gateway(attached=True)


def _attached_twice(account):
    id = account.gateway(attached=True)
    other = account.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    account.ec2.attach_internet_gateway(InternetGatewayId=id, VpcId=other)


def _not_attached(account):
    account.ec2.detach_internet_gateway(InternetGatewayId=account.gateway(), VpcId=account.vpc)


def _route_twice(account):
    table, gateway = account.route_table(), account.gateway(attached=True)
    for target in (gateway, account.interface()):
        kind = "GatewayId" if target == gateway else "NetworkInterfaceId"
        account.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **{kind: target})


def _no_route(account):
    account.ec2.delete_route(RouteTableId=account.route_table(), DestinationCidrBlock="9.0.0.0/8")


def _entry_twice(account):
    acl = account.acl()
    for _ in range(2):
        account.ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=100,
            Egress=False,
            Protocol="-1",
            RuleAction="allow",
            CidrBlock="0.0.0.0/0",
        )


def _no_entry(account):
    account.ec2.delete_network_acl_entry(NetworkAclId=account.acl(), RuleNumber=5, Egress=False)


def _address_in_use(account):
    account.gateway(attached=True)
    address = account.address()
    account.ec2.associate_address(AllocationId=address, NetworkInterfaceId=account.interface())
    account.ec2.release_address(AllocationId=address)


def _already_associated(account):
    account.gateway(attached=True)
    address = account.address()
    for _ in range(2):
        account.ec2.associate_address(
            AllocationId=address, NetworkInterfaceId=account.interface(), AllowReassociation=False
        )


def _interface_in_use(account):
    id = account.interface()
    account.attach(id, account.instance())
    account.ec2.delete_network_interface(NetworkInterfaceId=id)


def _same_address(account):
    for _ in range(2):
        account.interface(PrivateIpAddress="10.0.1.9")


def _protected(account):
    id = account.instance(DisableApiTermination=True)
    account.ec2.terminate_instances(InstanceIds=[id])


def _running_type(account):
    account.ec2.modify_instance_attribute(InstanceId=account.instance(), InstanceType={"Value": "t3.micro"})


def _gone(ask):
    def provoke(account):
        id = account.instance()
        account.ec2.terminate_instances(InstanceIds=[id])
        getattr(account.ec2, ask)(InstanceIds=[id])

    return provoke


def _volume_in_use(account):
    (disk,) = account.described(account.instance())["BlockDeviceMappings"]
    account.ec2.delete_volume(VolumeId=disk["Ebs"]["VolumeId"])


def _other_token(account):
    for kind in ("t2.micro", "t2.small"):
        _launch(ClientToken="once", InstanceType=kind, SubnetId=account.first_subnet)(account)


def _acl_in_use(account):
    subnet = account.subnet()
    found = account.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    account.ec2.delete_network_acl(NetworkAclId=found["NetworkAcls"][0]["NetworkAclId"])


def _main_table(account):
    found = account.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [account.vpc]}])
    (association,) = found["RouteTables"][0]["Associations"]
    account.ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])


def _templates(account):
    account.template("mine")
    account.template("mine")


def _profile_twice(account):
    id = account.instance()
    account.associated_profile(id)
    account.profile("other")
    account.ec2.associate_iam_instance_profile(InstanceId=id, IamInstanceProfile={"Name": "other"})


def _other_vpc(account):
    other = account.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = account.ec2.create_security_group(GroupName="far", Description="far", VpcId=other)
    _launch(SubnetId=account.first_subnet, SecurityGroupIds=[made["GroupId"]])(account)


def _two_subnets(account):
    subnet = account.first_subnet
    _launch(SubnetId=subnet, NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet}])(account)


PROVOKED = [
    # ids that are of nothing, or no ids
    (
        "InvalidInstanceID.NotFound",
        _ask("describe_instances", InstanceIds=[f"i-{_NO}"]),
        f"The instance ID 'i-{_NO}' does not exist",
    ),
    ("InvalidInstanceID.Malformed", _ask("describe_instances", InstanceIds=["i-zz"]), 'Invalid id: "i-zz"'),
    ("InvalidAMIID.NotFound", _launch(ImageId=f"ami-{_NO}"), f"The image id '[ami-{_NO}]' does not exist"),
    ("InvalidAMIID.Malformed", _launch(ImageId="ami-zz"), 'Invalid id: "ami-zz" (expecting "ami-...")'),
    ("InvalidKeyPair.NotFound", _launch(KeyName="none"), "The key pair 'none' does not exist"),
    (
        "InvalidSubnetID.NotFound",
        _launch(SubnetId=f"subnet-{_NO}"),
        f"The subnet ID 'subnet-{_NO}' does not exist",
    ),
    (
        "InvalidGroup.NotFound",
        _launch(SecurityGroupIds=[f"sg-{_NO}"]),
        f"The security group 'sg-{_NO}' does not exist",
    ),
    ("InvalidGroupId.Malformed", _ask("describe_security_groups", GroupIds=["sg-zz"]), None),
    (
        "InvalidVpcID.NotFound",
        _ask("describe_vpcs", VpcIds=[f"vpc-{_NO}"]),
        f"The vpc ID 'vpc-{_NO}' does not exist",
    ),
    (
        "InvalidRouteTableID.NotFound",
        _ask("describe_route_tables", RouteTableIds=[f"rtb-{_NO}"]),
        f"The routeTable ID 'rtb-{_NO}' does not exist",
    ),
    ("InvalidRouteTableId.Malformed", _ask("describe_route_tables", RouteTableIds=["rtb-zz"]), None),
    (
        "InvalidInternetGatewayID.NotFound",
        _ask("describe_internet_gateways", InternetGatewayIds=[f"igw-{_NO}"]),
        f"The internetGateway ID 'igw-{_NO}' does not exist",
    ),
    (
        "InvalidNetworkAclID.NotFound",
        _ask("describe_network_acls", NetworkAclIds=[f"acl-{_NO}"]),
        f"The networkAcl ID 'acl-{_NO}' does not exist",
    ),
    (
        "InvalidNetworkInterfaceID.NotFound",
        _ask("describe_network_interfaces", NetworkInterfaceIds=[f"eni-{_NO}"]),
        f"The networkInterface ID 'eni-{_NO}' does not exist",
    ),
    (
        "InvalidNetworkInterfaceId.Malformed",
        _ask("describe_network_interfaces", NetworkInterfaceIds=["eni-zz"]),
        None,
    ),
    (
        "InvalidAllocationID.NotFound",
        _ask("release_address", AllocationId=f"eipalloc-{_NO}"),
        f"The allocation ID 'eipalloc-{_NO}' does not exist",
    ),
    (
        "InvalidAssociationID.NotFound",
        _ask("disassociate_address", AssociationId=f"eipassoc-{_NO}"),
        f"The association ID 'eipassoc-{_NO}' does not exist",
    ),
    (
        "InvalidAttachmentID.NotFound",
        _ask("detach_network_interface", AttachmentId=f"eni-attach-{_NO}"),
        None,
    ),
    ("InvalidDhcpOptionID.NotFound", _ask("describe_dhcp_options", DhcpOptionsIds=[f"dopt-{_NO}"]), None),
    ("NatGatewayNotFound", _ask("describe_nat_gateways", NatGatewayIds=[f"nat-{_NO}"]), None),
    (
        "InvalidVolume.NotFound",
        _ask("describe_volumes", VolumeIds=[f"vol-{_NO}"]),
        f"The volume 'vol-{_NO}' does not exist.",
    ),
    ("InvalidAddress.NotFound", _ask("release_address", PublicIp="203.0.113.9"), None),
    ("InvalidPrefixListID.NotFound", _ask("get_managed_prefix_list_entries", PrefixListId=f"pl-{_NO}"), None),
    (
        "InvalidLaunchTemplateId.NotFound",
        _ask("describe_launch_templates", LaunchTemplateIds=[f"lt-{_NO}"]),
        None,
    ),
    (
        "InvalidLaunchTemplateName.NotFoundException",
        _ask("describe_launch_templates", LaunchTemplateNames=["none"]),
        None,
    ),
    ("InvalidID", _ask("create_tags", Resources=["xyz-1"], Tags=[{"Key": "a", "Value": "b"}]), None),
    # what is there already
    ("InvalidKeyPair.Duplicate", _twice("create_key_pair", KeyName="k"), None),
    ("InvalidGroup.Duplicate", _duplicate_group, None),
    ("InvalidPermission.Duplicate", _duplicate_rule, None),
    ("InvalidPermission.NotFound", _no_rule, None),
    ("InvalidSubnet.Conflict", _overlap, "The CIDR '10.0.0.0/25' conflicts with another subnet"),
    ("RouteAlreadyExists", _route_twice, "The route identified by 0.0.0.0/0 already exists."),
    ("InvalidRoute.NotFound", _no_route, None),
    ("NetworkAclEntryAlreadyExists", _entry_twice, None),
    ("InvalidNetworkAclEntry.NotFound", _no_entry, None),
    ("InvalidLaunchTemplateName.AlreadyExistsException", _templates, "Launch template name already in use."),
    # what is in use, or in no state for it
    ("DependencyViolation", _vpc_in_use, None),
    ("CannotDelete", _default_group, None),
    ("DependencyViolation", _acl_in_use, None),
    ("InvalidParameterValue", _main_table, None),
    ("Resource.AlreadyAssociated", _attached_twice, None),
    ("InvalidParameterValue", _second_gateway, None),
    ("Gateway.NotAttached", _not_attached, None),
    ("InvalidIPAddress.InUse", _address_in_use, None),
    ("Resource.AlreadyAssociated", _already_associated, None),
    ("InvalidParameterValue", _interface_in_use, None),
    ("InvalidIPAddress.InUse", _same_address, None),
    ("VolumeInUse", _volume_in_use, None),
    ("OperationNotPermitted", _protected, None),
    ("IncorrectInstanceState", _running_type, None),
    ("IncorrectInstanceState", _gone("start_instances"), None),
    ("IncorrectState", _profile_twice, None),
    # limits
    ("VcpuLimitExceeded", _launch(InstanceType="m5.24xlarge", MinCount=100, MaxCount=100), None),
    # values
    ("InvalidVpc.Range", _ask("create_vpc", CidrBlock="10.0.0.0/8"), "The CIDR '10.0.0.0/8' is invalid."),
    (
        "InvalidSubnet.Range",
        lambda account: account.ec2.create_subnet(VpcId=account.vpc, CidrBlock="10.9.0.0/24"),
        "The CIDR '10.9.0.0/24' is invalid.",
    ),
    ("InvalidParameterValue", _launch(InstanceType="t9.none"), None),
    ("InvalidParameterValue", _launch(MinCount=2, MaxCount=1), None),
    (
        "InvalidParameterCombination",
        _two_subnets,
        "Network interfaces and an instance-level subnet ID may not be specified on the same request",
    ),
    ("InvalidParameter", _other_vpc, None),
    ("InvalidKey.Format", _ask("import_key_pair", KeyName="k", PublicKeyMaterial=b"none"), None),
    ("IdempotentParameterMismatch", _other_token, None),
    ("InvalidParameterValue", lambda account: _rule(account, account.group(), FromPort=23), None),
    (
        "InvalidParameterValue",
        _ask("describe_availability_zones", ZoneNames=["none"]),
        "Invalid availability zone: [none]",
    ),
    ("DryRunOperation", _launch(DryRun=True), "Request would have succeeded, but DryRun flag is set."),
    ("MissingParameter", _ask("create_vpc"), None),
]


@pytest.mark.parametrize(
    ("code", "provoke", "text"), PROVOKED, ids=[f"{number}-{each[0]}" for number, each in enumerate(PROVOKED)]
)
def test_the_documented_code_is_what_is_refused_with(account, code, provoke, text):
    with pytest.raises(ClientError) as refused:
        provoke(account)
    error, answer = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
    status = 412 if code == "DryRunOperation" else 400
    assert (error["Code"], answer["HTTPStatusCode"]) == (code, status), error["Message"]
    if text is not None:
        assert error["Message"] == text
