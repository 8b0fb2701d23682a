"""What has to be there before an example can be asked: ids that it speaks of, made for real.

Every id in the input becomes one fresh resource of its kind (`MADE`). Where an example needs more - things
that hang together, a name, a state - `PREPARED` has it under the example's id, or under the operation for all of its examples:
a function of the account and the input that answers the real values of documented ones.
"""

import re

from tests.parity.account import POLICY, TRUST

_ID = re.compile(r"^([a-z]+(?:-[a-z]+)*)-[0-9a-f]{7,17}\s*$")

#: By the prefix of the id.
MADE = {
    "vpc": lambda account: account.vpc,
    "subnet": lambda account: account.subnet(),
    "sg": lambda account: account.group(),
    "igw": lambda account: account.gateway(),
    "rtb": lambda account: account.route_table(),
    "acl": lambda account: account.acl(),
    "eni": lambda account: account.interface(),
    "eipalloc": lambda account: account.address(),
    "dopt": lambda account: account.options(),
    "nat": lambda account: account.nat_gateway(),
    "lt": lambda account: account.template(),
    "i": lambda account: account.instance(),
    "ami": lambda account: account.image,
}


def prepare(account, operation, example, asked):
    """The input with documented values made real."""
    special = PREPARED.get(example) or PREPARED.get(operation)
    real = dict((special(account, asked) if special else None) or {})

    def made(value):
        if isinstance(value, dict):
            return {name: made(item) for name, item in value.items()}
        if isinstance(value, list):
            return [made(item) for item in value]
        if isinstance(value, str) and value not in real and (found := _ID.match(value)):
            real[value] = MADE[found[1]](account)
        return real.get(value, value) if isinstance(value, str) else value

    return made(asked)


# --- EC2: what hangs together


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


# --- IAM and STS


def _iam(*makes):
    """Things made in order, each by a function of the IAM client and the account."""

    def prepared(account, asked):
        real = {}
        for make in makes:
            real |= make(account, asked) or {}
        return real

    return prepared


def _user(account, asked):
    account.iam.create_user(UserName=asked["UserName"])


def _group(account, asked):
    account.iam.create_group(GroupName=asked["GroupName"])


def _role(account, asked):
    account.role(asked["RoleName"])


def _profile_of(account, asked):
    account.iam.create_instance_profile(InstanceProfileName=asked["InstanceProfileName"])


def _profile_with_role(account, asked):
    _profile_of(account, asked)
    account.role("Test-Role")
    account.iam.add_role_to_instance_profile(
        InstanceProfileName=asked["InstanceProfileName"], RoleName="Test-Role"
    )


def _member(account, asked):
    account.iam.add_user_to_group(GroupName=asked["GroupName"], UserName=asked["UserName"])


def _key(account, asked):
    made = account.iam.create_access_key(UserName=asked["UserName"])
    return {asked.get("AccessKeyId"): made["AccessKey"]["AccessKeyId"]}


def _login(account, asked):
    account.iam.create_login_profile(UserName=asked["UserName"], Password="3s0K_;xh4~8XXI")


def _inline(kind):
    def make(account, asked):
        name = f"{kind.title()}Name"
        getattr(account.iam, f"put_{kind}_policy")(
            **{name: asked[name]}, PolicyName=asked["PolicyName"], PolicyDocument=POLICY
        )

    return make


def _tagged(kind, *tags):
    def make(account, asked):
        name = f"{kind.title()}Name"
        pairs = [{"Key": key, "Value": value} for key, value in tags]
        getattr(account.iam, f"tag_{kind}")(**{name: asked[name]}, Tags=pairs)

    return make


def _alias(account, asked):
    account.iam.create_account_alias(AccountAlias=asked.get("AccountAlias", "exmaple-corporation"))


def _two_policies(account, asked):
    for name in ("AdminRoot", "KeyPolicy"):
        account.iam.put_group_policy(GroupName="Admins", PolicyName=name, PolicyDocument=POLICY)


def _password_policy(account, asked):
    account.iam.update_account_password_policy(
        MinimumPasswordLength=8,
        RequireNumbers=True,
        RequireSymbols=True,
        MaxPasswordAge=90,
        PasswordReusePrevention=12,
        HardExpiry=False,
    )


_ENGINEERING = "/division_abc/subdivision_xyz/product_1234/engineering/"


def _groups(account, asked):
    account.iam.create_group(GroupName="Test", Path=_ENGINEERING)
    account.iam.create_group(GroupName="Managers", Path="/division_abc/subdivision_xyz/product_1234/")


def _bob_in_groups(account, asked):
    _groups(account, asked)
    for group in ("Test", "Managers"):
        account.iam.add_user_to_group(GroupName=group, UserName="Bob")


def _user_with_password(account):
    caller = account.user("Bob")
    account.iam.create_login_profile(UserName="Bob", Password="3s0K_;xh4~8XXI")
    return caller


#: Who asks, where it is not the account's root user.
CALLERS = {
    "to-get-details-about-a-calling-iam-user-1480540050376": lambda account: account.user("Alice"),
    "to-get-details-about-a-calling-user-federated-with-assumerole-1480540158545": (
        lambda account: account.assumed("my-role-name", "my-role-session-name")
    ),
    "to-get-details-about-a-calling-user-federated-with-getfederationtoken-1480540231316": (
        lambda account: account.federated("my-federated-user-name")
    ),
    "3a80c66f-bffb-46df-947c-1e8fa583b470": _user_with_password,
}

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
    # IAM
    "AddRoleToInstanceProfile": _iam(_profile_of, _role),
    "AddUserToGroup": _iam(_group, _user),
    "AttachGroupPolicy": _group,
    "AttachRolePolicy": _role,
    "AttachUserPolicy": _user,
    "CreateAccessKey": _user,
    "CreateLoginProfile": _user,
    "CreateRole": lambda _account, _asked: {"<Stringified-JSON>": TRUST},
    "DeleteAccessKey": _iam(_user, _key),
    "DeleteAccountAlias": _alias,
    "DeleteAccountPasswordPolicy": _password_policy,
    "DeleteGroupPolicy": _iam(_group, _inline("group")),
    "DeleteInstanceProfile": _profile_of,
    "DeleteLoginProfile": _iam(_user, _login),
    "DeleteRole": _role,
    "DeleteRolePolicy": _iam(_role, _inline("role")),
    "DeleteUser": _user,
    "DeleteUserPolicy": _iam(_user, _inline("user")),
    "GetAccountPasswordPolicy": _password_policy,
    "GetInstanceProfile": _profile_with_role,
    "GetLoginProfile": _iam(_user, _login),
    "GetRole": _role,
    "GetUser": _user,
    "ListAccessKeys": _iam(_user, _key, _key),
    "ListAccountAliases": _alias,
    "ListGroupPolicies": _iam(_group, _two_policies),
    "ListGroupsForUser": _iam(_user, _bob_in_groups),
    "ListRoleTags": _iam(_role, _tagged("role", ("Dept", "12345"), ("Team", "Accounting"))),
    "ListUserTags": _iam(_user, _tagged("user", ("Dept", "12345"), ("Team", "Accounting"))),
    "PutGroupPolicy": _group,
    "PutRolePolicy": _role,
    "PutUserPolicy": _user,
    "RemoveRoleFromInstanceProfile": _profile_with_role,
    "RemoveUserFromGroup": _iam(_group, _user, _member),
    "TagRole": _role,
    "TagUser": _user,
    "UntagRole": _iam(_role, _tagged("role", ("Dept", "12345"))),
    "UntagUser": _iam(_user, _tagged("user", ("Dept", "12345"))),
    "UpdateAccessKey": _iam(_user, _key),
    "UpdateAssumeRolePolicy": _role,
    "UpdateGroup": _group,
    "UpdateLoginProfile": _iam(_user, _login),
    "UpdateUser": _user,
}
