"""What EC2's examples need besides the ids that they speak of: what hangs together, names, states."""


def _with_gateway(account, asked):
    account.gateway(attached=True)


def _attached_gateway(account, asked):
    return {asked.get("InternetGatewayId") or asked["GatewayId"]: account.gateway(attached=True)}


def _associated_address(account, asked):
    """An address on an instance: its association and its public address."""
    account.gateway(attached=True)
    made = account.ec2.allocate_address(Domain="vpc")
    instance = account.instance()
    done = account.ec2.associate_address(AllocationId=made["AllocationId"], InstanceId=instance)
    return {"eipassoc-2bebb745": done["AssociationId"], "198.51.100.0": made["PublicIp"]}


def _address_to_associate(account, asked):
    account.gateway(attached=True)
    return {"198.51.100.0": account.ec2.allocate_address(Domain="vpc")["PublicIp"]}


def _free_address(account, asked):
    return {"198.51.100.0": account.ec2.allocate_address(Domain="vpc")["PublicIp"]}


def _secondary_address(account, asked):
    interface = account.interface()
    (address,) = asked["PrivateIpAddresses"]
    account.subnet()
    given = account.ec2.assign_private_ip_addresses(
        NetworkInterfaceId=interface, SecondaryPrivateIpAddressCount=1
    )
    return {
        asked["NetworkInterfaceId"]: interface,
        address: given["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"],
    }


def _free_in_its_subnet(account, asked):
    (address,) = asked["PrivateIpAddresses"]
    account.first_subnet  # noqa: B018 - 10.0.1.0/24
    return {address: address.replace("10.0.0.", "10.0.1.")}


def _second_subnet(account, asked):
    """The subnet 10.0.2.0/24, and the default group of its VPC."""
    account.first_subnet  # noqa: B018 - comes first
    groups = account.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [account.vpc]}])
    return {
        asked["SubnetId"]: account.subnet(),
        asked["Groups"][0]: groups["SecurityGroups"][0]["GroupId"],
    }


def _table_association(account, asked):
    made = account.ec2.associate_route_table(RouteTableId=account.route_table(), SubnetId=account.subnet())
    return {asked["AssociationId"]: made["AssociationId"]}


def _acl_association(account, asked):
    subnet = account.subnet()
    found = account.ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])
    (association,) = found["NetworkAcls"][0]["Associations"]
    return {asked["AssociationId"]: association["NetworkAclAssociationId"]}


def _acl_in_use(account, asked):
    real = _acl_association(account, {"AssociationId": "it"})
    acl = account.acl()
    account.ec2.replace_network_acl_association(AssociationId=real["it"], NetworkAclId=acl)
    return {asked["NetworkAclIds"][0]: acl}


def _acl_entry(account, asked):
    acl = account.acl()
    account.ec2.create_network_acl_entry(
        NetworkAclId=acl,
        RuleNumber=100,
        Egress=asked["Egress"],
        Protocol="-1",
        RuleAction="deny",
        CidrBlock="0.0.0.0/0",
    )
    return {asked["NetworkAclId"]: acl}


def _default_route(account, asked):
    table, gateway = account.route_table(), account.gateway(attached=True)
    account.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    return {asked["RouteTableId"]: table}


def _main_table(account, asked):
    found = account.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [account.vpc]}])
    return {asked["RouteTableIds"][0]: found["RouteTables"][0]["RouteTableId"]}


def _named_vpc(account, asked):
    account.ec2.create_tags(Resources=[account.vpc], Tags=[{"Key": "Name", "Value": "MyVPC"}])


def _only_subnet(account, asked):
    account.subnet()


def _gateway_of_the_vpc(account, asked):
    account.gateway(attached=True)


def _nat_of_the_vpc(account, asked):
    account.nat_gateway()


def _named_hosts(account, asked):
    account.ec2.modify_vpc_attribute(VpcId=account.vpc, EnableDnsHostnames={"Value": True})


def _detachable(account, asked):
    return {asked["AttachmentId"]: account.attach(account.interface(), account.instance())}


def _own_interface(account, asked):
    """The interface of an instance, whose group has the documented name, and its attachment."""
    group = account.group("my-security-group")
    (interface,) = account.described(account.instance(SecurityGroupIds=[group]))["NetworkInterfaces"]
    id = interface["NetworkInterfaceId"]
    account.ec2.modify_network_interface_attribute(
        NetworkInterfaceId=id, Description={"Value": "My description"}
    )
    return {
        asked["NetworkInterfaceId"]: id,
        "eni-attach-43348162": interface["Attachment"]["AttachmentId"],
    }


def _second_interface(account, asked):
    """One more interface of an instance, with an address of its own."""
    account.gateway(attached=True)
    account.ec2.modify_vpc_attribute(VpcId=account.vpc, EnableDnsHostnames={"Value": True})
    interface, instance = account.interface(Description="my network interface"), account.instance()
    account.attach(interface, instance)
    account.ec2.associate_address(AllocationId=account.address(), NetworkInterfaceId=interface)
    return {asked["NetworkInterfaceIds"][0]: interface}


def _known_key(account, asked):
    account.ec2.create_key_pair(KeyName="my-key-pair")


def _image_of_mine(account, asked):
    """Stands for an image: tags can be put on it too, and images cannot be made yet."""
    id = account.gateway()
    account.ec2.create_tags(Resources=[id], Tags=[{"Key": "Stack", "Value": "test"}])
    return {asked["Resources"][0]: id}


def _tagged_instance(account, asked):
    id = account.instance()
    tags = [{"Key": "Stack", "Value": "test"}, {"Key": "Name", "Value": "Beta Server"}]
    account.ec2.create_tags(Resources=[id], Tags=tags)
    return {asked["Filters"][0]["Values"][0]: id}


def _template_of_web_servers(account, asked):
    return {"lt-0abcd290751193123": account.template("WebServers", versions=2)}


def _deletable_version(account, asked):
    id = account.template(versions=2)
    account.ec2.modify_launch_template(LaunchTemplateId=id, DefaultVersion="2")
    return {"lt-0abcd290751193123": id}


def _template_with_network(account, asked):
    nic = {
        "AssociatePublicIpAddress": True,
        "DeviceIndex": 0,
        "Ipv6Addresses": [{"Ipv6Address": "2001:db8:1234:1a00::123"}],
        "SubnetId": account.first_subnet,
    }
    made = account.ec2.create_launch_template(
        LaunchTemplateName="my-template",
        LaunchTemplateData={"ImageId": account.image, "InstanceType": "t2.micro", "NetworkInterfaces": [nic]},
    )
    return {asked["LaunchTemplateId"]: made["LaunchTemplate"]["LaunchTemplateId"]}


def _web_servers_versions(account, asked):
    first = {
        "AssociatePublicIpAddress": True,
        "DeleteOnTermination": False,
        "DeviceIndex": 0,
        "Groups": [account.group()],
        "SubnetId": account.first_subnet,
    }
    common = {"ImageId": account.image, "InstanceType": "t2.medium", "KeyName": "kp-us-east"}
    made = account.ec2.create_launch_template(
        LaunchTemplateName="Webservers",
        LaunchTemplateData={**common, "NetworkInterfaces": [first], "UserData": ""},
    )
    id = made["LaunchTemplate"]["LaunchTemplateId"]
    second = {name: first[name] for name in ("DeviceIndex", "Groups", "SubnetId")}
    account.ec2.create_launch_template_version(
        LaunchTemplateId=id, LaunchTemplateData={**common, "NetworkInterfaces": [second]}
    )
    return {asked["LaunchTemplateId"]: id}


def _stopped(account, asked):
    id = asked.get("InstanceId") or asked["InstanceIds"][0]
    return {id: account.stopped_instance()}


def _profile(account, asked):
    account.profile("admin-role")


def _profile_association(account, asked):
    ids = asked.get("AssociationIds") or [asked["AssociationId"]]
    return {ids[0]: account.associated_profile(account.instance())}


def _disk_of(account, asked):
    (disk,) = account.described(account.instance())["BlockDeviceMappings"]
    return {asked["VolumeIds"][0]: disk["Ebs"]["VolumeId"]}


def _left_disk(account, asked):
    kept = [{"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}}]
    instance = account.instance(BlockDeviceMappings=kept)
    (disk,) = account.described(instance)["BlockDeviceMappings"]
    account.ec2.terminate_instances(InstanceIds=[instance])
    account.wait("volume_available", VolumeIds=[disk["Ebs"]["VolumeId"]])
    return {asked["VolumeId"]: disk["Ebs"]["VolumeId"]}


def _instance_with_disk(account, asked):
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8, "VolumeType": "standard"}}
    return {asked["Filters"][0]["Values"][0]: account.instance(BlockDeviceMappings=[disk])}


def _described_rule(direction):
    def make(account, asked):
        group = account.group()
        (rule,) = asked["IpPermissions"]
        bare = {**rule, "IpRanges": [{"CidrIp": rule["IpRanges"][0]["CidrIp"]}]}
        getattr(account.ec2, f"authorize_security_group_{direction}")(GroupId=group, IpPermissions=[bare])
        return {asked["GroupId"]: group}

    return make


#: By the example's id, or by the operation for all of its examples.
PREPARED = {
    "ec2-associate-address-1": _with_gateway,
    "ec2-associate-address-2": _with_gateway,
    "ec2-associate-address-3": _address_to_associate,
    "ec2-assign-private-ip-addresses-1": _free_in_its_subnet,
    "ec2-create-network-interface-1": _second_subnet,
    "ec2-create-route-1": _attached_gateway,
    "ec2-release-address-2": _free_address,
    "to-describe-an-iam-instance-profile-association-1529025123918": _profile_association,
    "ec2-describe-vpc-attribute-2": _named_hosts,
    "to-modify-the-instance-type-1529357844378": _stopped,
    "to-enable-enhanced-networking-1529358279870": _stopped,
    "to-describe-the-status-of-a-single-volume-1472507016193": _disk_of,
    "to-describe-volumes-that-are-attached-to-a-specific-instance-1472506613578": _instance_with_disk,
    "ec2-describe-addresses-2": _associated_address,
    "AssociateIamInstanceProfile": _profile,
    "CreateLaunchTemplateVersion": _template_with_network,
    "CreateNatGateway": _with_gateway,
    "DeleteLaunchTemplate": _deletable_version,
    "DeleteLaunchTemplateVersions": _deletable_version,
    "DeleteNetworkAclEntry": _acl_entry,
    "DeleteRoute": _default_route,
    "DeleteTags": _image_of_mine,
    "CreateTags": _image_of_mine,
    "DeleteVolume": _left_disk,
    "DescribeInternetGateways": _gateway_of_the_vpc,
    "DescribeKeyPairs": _known_key,
    "DeleteKeyPair": _known_key,
    "DescribeLaunchTemplateVersions": _web_servers_versions,
    "DescribeNatGateways": _nat_of_the_vpc,
    "DescribeNetworkAcls": _acl_in_use,
    "DescribeNetworkInterfaceAttribute": _own_interface,
    "DescribeNetworkInterfaces": _second_interface,
    "DescribeRouteTables": _main_table,
    "DescribeSubnets": _only_subnet,
    "DescribeTags": _tagged_instance,
    "DescribeVpcs": _named_vpc,
    "DetachInternetGateway": _attached_gateway,
    "DetachNetworkInterface": _detachable,
    "DisassociateAddress": _associated_address,
    "DisassociateIamInstanceProfile": _profile_association,
    "DisassociateRouteTable": _table_association,
    "ModifyLaunchTemplate": _template_of_web_servers,
    "ModifyNetworkInterfaceAttribute": _own_interface,
    "ReplaceNetworkAclAssociation": _acl_association,
    "ReplaceNetworkAclEntry": _acl_entry,
    "ReplaceRouteTableAssociation": _table_association,
    "RunInstances": _known_key,
    "StartInstances": _stopped,
    "UnassignPrivateIpAddresses": _secondary_address,
    "UpdateSecurityGroupRuleDescriptionsEgress": _described_rule("egress"),
    "UpdateSecurityGroupRuleDescriptionsIngress": _described_rule("ingress"),
}
