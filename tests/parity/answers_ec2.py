"""Calls of EC2 whose answers have all that the command line's reference shows of them."""

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


def _prefix_list(account):
    return account.ec2.create_managed_prefix_list(
        PrefixListName="mine",
        MaxEntries=3,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "203.0.113.0/24", "Description": "office"}],
        TagSpecifications=_tagged("prefix-list"),
    )


def _entries(account):
    id = _prefix_list(account)["PrefixList"]["PrefixListId"]
    return account.ec2.get_managed_prefix_list_entries(PrefixListId=id)


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
    ("ec2", "associate-vpc-cidr-block", 0): lambda account: account.ec2.associate_vpc_cidr_block(
        VpcId=account.vpc, AmazonProvidedIpv6CidrBlock=True
    ),
    ("ec2", "associate-vpc-cidr-block", 1): lambda account: account.ec2.associate_vpc_cidr_block(
        VpcId=account.vpc, CidrBlock="10.2.0.0/16"
    ),
    ("ec2", "create-managed-prefix-list", 0): _prefix_list,
    ("ec2", "describe-managed-prefix-lists", 0): lambda account: (
        _prefix_list(account) and account.ec2.describe_managed_prefix_lists()
    ),
    ("ec2", "get-managed-prefix-list-entries", 0): _entries,
    ("ec2", "modify-instance-metadata-options", 0): lambda account: (
        account.ec2.modify_instance_metadata_options(InstanceId=account.instance(), HttpTokens="required")
    ),
    ("ec2", "associate-route-table", 0): lambda account: account.ec2.associate_route_table(
        RouteTableId=account.route_table(), SubnetId=account.subnet()
    ),
    ("ec2", "delete-key-pair", 0): lambda account: (
        account.ec2.create_key_pair(KeyName="mine") and account.ec2.delete_key_pair(KeyName="mine")
    ),
    ("ec2", "describe-volume-status", 0): lambda account: (
        account.instance() and account.ec2.describe_volume_status()
    ),
}
