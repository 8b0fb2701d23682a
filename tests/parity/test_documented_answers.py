"""Answers have every member that the AWS command line's reference shows of them, of the same type.

The reference is read where it is installed. `LEFT_OUT` are members that are shown there and not answered here, with the
reason; one that is answered after all fails, so that the list stays true.
"""

import pytest
from tests.parity.account import POLICY, TRUST
from tests.parity.documented import members, outputs

_TAGS = [{"Key": "Name", "Value": "shown"}]


def _tagged(kind):
    return [{"ResourceType": kind, "Tags": _TAGS}]


def _run(account, **more):
    asked = {"ImageId": account.image, "InstanceType": "t2.micro", "SubnetId": account.first_subnet, **more}
    return account.ec2.run_instances(MinCount=1, MaxCount=1, **asked)


def _run_with_all(account):
    account.ec2.create_key_pair(KeyName="mine")
    return _run(account, KeyName="mine", TagSpecifications=_tagged("instance"))


def _describe_with_all(account):
    """An instance with a profile, a key and a public address."""
    account.gateway(attached=True)
    _name_hosts(account)
    account.profile("web")
    account.ec2.create_key_pair(KeyName="mine")
    id = account.instance(
        KeyName="mine", IamInstanceProfile={"Name": "web"}, TagSpecifications=_tagged("instance")
    )
    account.ec2.associate_address(AllocationId=account.address(), InstanceId=id)
    return account.ec2.describe_instances(InstanceIds=[id])


def _name_hosts(account):
    account.ec2.modify_vpc_attribute(VpcId=account.vpc, EnableDnsHostnames={"Value": True})


def _interface(account):
    _name_hosts(account)
    return account.ec2.create_network_interface(SubnetId=account.first_subnet, Description="mine")


def _interfaces(account):
    _describe_with_all(account)
    account.interface(TagSpecifications=_tagged("network-interface"))
    return account.ec2.describe_network_interfaces()


def _addresses(account):
    account.gateway(attached=True)
    account.ec2.associate_address(AllocationId=account.address(), InstanceId=account.instance())
    return account.ec2.describe_addresses()


def _status(account):
    return account.ec2.describe_instance_status(InstanceIds=[account.instance()])


def _start(account):
    return account.ec2.start_instances(InstanceIds=[account.stopped_instance()])


def _authorize(account, **more):
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, **more}
    return account.ec2.authorize_security_group_ingress(GroupId=account.group(), IpPermissions=[rule])


_V4 = {"IpRanges": [{"CidrIp": "203.0.113.0/24", "Description": "office"}]}
_V6 = {"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/64", "Description": "office"}]}


def _rules(account):
    _authorize(account, **_V4, **_V6)
    return account.ec2.describe_security_group_rules()


def _from_group(account):
    return _authorize(account, UserIdGroupPairs=[{"GroupId": account.group()}])


def _vpc(account, **more):
    return account.ec2.create_vpc(CidrBlock="10.1.0.0/16", TagSpecifications=_tagged("vpc"), **more)


def _subnet_with_ipv6(account):
    vpc = _vpc(account, AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    found = account.ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]
    cidr = found["Ipv6CidrBlock"].replace("::/56", "::/64")
    return account.ec2.create_subnet(
        VpcId=vpc, CidrBlock="10.1.0.0/24", Ipv6CidrBlock=cidr, TagSpecifications=_tagged("subnet")
    )


def _subnet(account):
    return account.ec2.create_subnet(
        VpcId=account.vpc, CidrBlock="10.0.9.0/24", TagSpecifications=_tagged("subnet")
    )


def _route_tables(account):
    table, gateway = account.route_table(), account.nat_gateway()
    account.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    internet = account.ec2.describe_internet_gateways(
        Filters=[{"Name": "attachment.vpc-id", "Values": [account.vpc]}]
    )["InternetGateways"][0]["InternetGatewayId"]
    other = account.route_table()
    account.ec2.create_route(RouteTableId=other, DestinationCidrBlock="0.0.0.0/0", GatewayId=internet)
    account.ec2.associate_route_table(RouteTableId=table, SubnetId=account.first_subnet)
    return account.ec2.describe_route_tables()


def _gateways(account):
    account.ec2.create_tags(Resources=[account.gateway(attached=True)], Tags=_TAGS)
    return account.ec2.describe_internet_gateways()


def _nat_gateways(account):
    account.ec2.create_tags(Resources=[account.nat_gateway()], Tags=_TAGS)
    return account.ec2.describe_nat_gateways()


def _associate(account):
    account.gateway(attached=True)
    return account.ec2.associate_address(AllocationId=account.address(), InstanceId=account.instance())


def _nat(account):
    account.gateway(attached=True)
    return account.ec2.create_nat_gateway(SubnetId=account.first_subnet, AllocationId=account.address())


def _parameter(account, ask):
    ssm = account.client("ssm")
    ssm.put_parameter(Name="mine", Value="1", Type="String", Description="one")
    ssm.label_parameter_version(Name="mine", Labels=["label"])
    return ask(ssm)


def _user(account, **more):
    return account.iam.create_user(UserName="Bob", **more)


def _by_user(account, ask):
    return ask(account.client("sts", account.user("Bob")))


#: By service, command and which of the answers that the reference shows of it.
ANSWERS = {
    ("ec2", "run-instances", 0): _run_with_all,
    ("ec2", "describe-instances", 0): _describe_with_all,
    ("ec2", "describe-instance-status", 0): _status,
    ("ec2", "start-instances", 0): _start,
    ("ec2", "stop-instances", 0): lambda account: account.ec2.stop_instances(
        InstanceIds=[account.instance()]
    ),
    ("ec2", "terminate-instances", 0): lambda account: account.ec2.terminate_instances(
        InstanceIds=[account.instance()]
    ),
    ("ec2", "get-console-output", 0): lambda account: account.ec2.get_console_output(
        InstanceId=account.instance()
    ),
    ("ec2", "describe-network-interfaces", 0): _interfaces,
    ("ec2", "describe-network-interfaces", 1): _interfaces,
    ("ec2", "describe-addresses", 0): _addresses,
    ("ec2", "associate-address", 0): _associate,
    ("ec2", "allocate-address", 0): lambda account: account.ec2.allocate_address(),
    ("ec2", "create-security-group", 0): lambda account: account.ec2.create_security_group(
        GroupName="mine", Description="mine", VpcId=account.vpc
    ),
    ("ec2", "authorize-security-group-ingress", 0): lambda account: _authorize(account, **_V4),
    ("ec2", "authorize-security-group-ingress", 1): _from_group,
    ("ec2", "authorize-security-group-ingress", 4): lambda account: _authorize(account, **_V4, **_V6),
    ("ec2", "describe-security-group-rules", 0): _rules,
    ("ec2", "create-vpc", 0): _vpc,
    ("ec2", "create-vpc", 1): lambda account: _vpc(account, AmazonProvidedIpv6CidrBlock=True),
    ("ec2", "describe-vpcs", 0): lambda account: _vpc(account) and account.ec2.describe_vpcs(),
    ("ec2", "create-subnet", 0): _subnet,
    ("ec2", "create-subnet", 1): _subnet_with_ipv6,
    ("ec2", "describe-subnets", 0): lambda account: _subnet(account) and account.ec2.describe_subnets(),
    ("ec2", "create-route-table", 0): lambda account: account.ec2.create_route_table(VpcId=account.vpc),
    ("ec2", "describe-route-tables", 0): _route_tables,
    ("ec2", "create-internet-gateway", 0): lambda account: account.ec2.create_internet_gateway(
        TagSpecifications=_tagged("internet-gateway")
    ),
    ("ec2", "describe-internet-gateways", 0): _gateways,
    ("ec2", "create-nat-gateway", 0): _nat,
    ("ec2", "describe-nat-gateways", 0): _nat_gateways,
    ("ec2", "create-network-interface", 0): _interface,
    ("ec2", "create-network-acl", 0): lambda account: account.ec2.create_network_acl(VpcId=account.vpc),
    ("ec2", "describe-network-acls", 0): lambda account: (
        _subnet_with_ipv6(account) and account.ec2.describe_network_acls()
    ),
    ("ec2", "create-dhcp-options", 0): lambda account: account.ec2.create_dhcp_options(
        DhcpConfigurations=[{"Key": "domain-name", "Values": ["example.com"]}]
    ),
    ("ec2", "create-launch-template", 0): lambda account: account.ec2.create_launch_template(
        LaunchTemplateName="mine", LaunchTemplateData={"InstanceType": "t2.micro"}
    ),
    ("ec2", "describe-key-pairs", 0): lambda account: (
        account.ec2.create_key_pair(KeyName="mine", TagSpecifications=_tagged("key-pair"))
        and account.ec2.describe_key_pairs()
    ),
    ("ec2", "describe-instance-types", 0): lambda account: account.ec2.describe_instance_types(
        InstanceTypes=["t2.micro"]
    ),
    ("ec2", "describe-images", 0): lambda account: account.ec2.describe_images(),
    ("ec2", "describe-regions", 0): lambda account: account.ec2.describe_regions(),
    ("ec2", "describe-availability-zones", 0): lambda account: account.ec2.describe_availability_zones(),
    ("ssm", "put-parameter", 0): lambda account: account.client("ssm").put_parameter(
        Name="mine", Value="1", Type="String"
    ),
    ("ssm", "get-parameter", 0): lambda account: _parameter(
        account, lambda ssm: ssm.get_parameter(Name="mine:1")
    ),
    ("ssm", "get-parameter", 1): lambda account: _parameter(
        account, lambda ssm: ssm.get_parameter(Name="mine:label")
    ),
    ("ssm", "get-parameters", 0): lambda account: _parameter(
        account, lambda ssm: ssm.get_parameters(Names=["mine:1", "none"])
    ),
    ("iam", "create-role", 1): lambda account: account.iam.create_role(
        RoleName="mine", AssumeRolePolicyDocument=TRUST, Description="mine", MaxSessionDuration=7200
    ),
    ("iam", "create-user", 0): _user,
    ("iam", "create-user", 2): lambda account: _user(account, Tags=_TAGS),
    ("iam", "create-user", 3): lambda account: _user(
        account, PermissionsBoundary="arn:aws:iam::aws:policy/AmazonS3FullAccess"
    ),
    ("iam", "create-access-key", 0): lambda account: (
        _user(account) and account.iam.create_access_key(UserName="Bob")
    ),
    ("iam", "create-policy", 1): lambda account: account.iam.create_policy(
        PolicyName="mine", PolicyDocument=POLICY
    ),
    ("iam", "get-account-summary", 0): lambda account: account.iam.get_account_summary(),
    ("sts", "assume-role", 0): lambda account: _by_user(
        account, lambda sts: sts.assume_role(RoleArn=account.open_role("mine"), RoleSessionName="session")
    ),
    ("sts", "get-session-token", 0): lambda account: _by_user(account, lambda sts: sts.get_session_token()),
    ("sts", "get-caller-identity", 0): lambda account: _by_user(
        account, lambda sts: sts.get_caller_identity()
    ),
}

_CPU_OPTIONS = "CPU options are not built"
_STATEMENT = "another policy"
LEFT_OUT = {
    ("ec2", "describe-instance-types", 0): {
        ".InstanceTypes[].VCpuInfo.ValidCores list": _CPU_OPTIONS,
        ".InstanceTypes[].VCpuInfo.ValidCores[] number": _CPU_OPTIONS,
        ".InstanceTypes[].VCpuInfo.ValidThreadsPerCore list": _CPU_OPTIONS,
        ".InstanceTypes[].VCpuInfo.ValidThreadsPerCore[] number": _CPU_OPTIONS,
    },
    ("iam", "create-role", 1): {
        ".Role.AssumeRolePolicyDocument.Statement[].Principal.AWS text": _STATEMENT,
        ".Role.AssumeRolePolicyDocument.Statement[].Sid text": _STATEMENT,
    },
}


@pytest.mark.parametrize("shown", ANSWERS, ids=lambda shown: " ".join(map(str, shown)))
def test_every_documented_member_is_answered(account, shown):
    service, command, number = shown
    absent = members(outputs(service, command)[number]) - members(ANSWERS[shown](account))
    assert absent == LEFT_OUT.get(shown, {}).keys()
