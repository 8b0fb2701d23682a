"""An account of a cloud, with short ways to what examples speak of: a VPC 10.0.0.0/16, and one of everything in it."""

import json
from functools import cached_property

import boto3
from botocore.config import Config
from tests.support.cloud import until

_SESSION = boto3.Session()  # one, for it reads the models
_AS_WRITTEN = Config(retries={"total_max_attempts": 1}, read_timeout=60, parameter_validation=False)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
POLICY = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'


class Account:
    def __init__(self, cloud, id):
        self._cloud = cloud
        self._clients = {}
        self._subnets = 0
        self.id = id

    def client(self, service, caller=None):
        """A client of the account's root user, or of a caller: their key, and their token if it is for a time."""
        key, token = caller or (self.id, None)
        if (service, key) not in self._clients:
            self._clients[service, key] = _SESSION.client(
                service,
                region_name="us-east-1",
                endpoint_url=self._cloud.endpoint,
                aws_access_key_id=key,
                aws_secret_access_key="any",
                aws_session_token=token,
                config=_AS_WRITTEN,
            )
        return self._clients[service, key]

    @property
    def ec2(self):
        return self.client("ec2")

    @property
    def iam(self):
        return self.client("iam")

    # --- EC2's

    @cached_property
    def vpc(self):
        return self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    @cached_property
    def image(self):
        filters = [{"Name": "name", "Values": ["cloudstead-tiny-*"]}]
        return self.ec2.describe_images(Filters=filters)["Images"][0]["ImageId"]

    @cached_property
    def first_subnet(self):
        return self.subnet()

    def subnet(self):
        self._subnets += 1
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{self._subnets}.0/24")
        return made["Subnet"]["SubnetId"]

    def group(self, name=None):
        name = name or f"group-{len(self.ec2.describe_security_groups()['SecurityGroups'])}"
        made = self.ec2.create_security_group(VpcId=self.vpc, GroupName=name, Description=name)
        return made["GroupId"]

    def gateway(self, *, attached=False):
        id = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        if attached:
            self.ec2.attach_internet_gateway(InternetGatewayId=id, VpcId=self.vpc)
        return id

    def route_table(self):
        return self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]

    def acl(self):
        return self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]

    def interface(self, **more):
        asked = {"SubnetId": self.first_subnet, **more}
        return self.ec2.create_network_interface(**asked)["NetworkInterface"]["NetworkInterfaceId"]

    def attach(self, interface, instance):
        """The id of the attachment, once the instance has it."""
        made = self.ec2.attach_network_interface(
            InstanceId=instance, NetworkInterfaceId=interface, DeviceIndex=1
        )
        until(lambda: self._attachment(interface)["Status"] == "attached")
        return made["AttachmentId"]

    def _attachment(self, interface):
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])
        return found["NetworkInterfaces"][0]["Attachment"]

    def address(self):
        return self.ec2.allocate_address(Domain="vpc")["AllocationId"]

    def options(self):
        asked = [{"Key": "domain-name-servers", "Values": ["10.2.5.1", "10.2.5.2"]}]
        made = self.ec2.create_dhcp_options(DhcpConfigurations=asked)
        return made["DhcpOptions"]["DhcpOptionsId"]

    def nat_gateway(self):
        self.gateway(attached=True)
        made = self.ec2.create_nat_gateway(SubnetId=self.first_subnet, AllocationId=self.address())
        id = made["NatGateway"]["NatGatewayId"]
        self.wait("nat_gateway_available", NatGatewayIds=[id])
        return id

    def template(self, name="my-template", versions=1):
        made = self.ec2.create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"InstanceType": "t2.micro"}
        )
        id = made["LaunchTemplate"]["LaunchTemplateId"]
        for _ in range(1, versions):
            self.ec2.create_launch_template_version(
                LaunchTemplateId=id, LaunchTemplateData={"InstanceType": "t2.small"}
            )
        return id

    def instance(self, **more):
        """A running one."""
        asked = {"ImageId": self.image, "InstanceType": "t2.micro", "SubnetId": self.first_subnet, **more}
        if "NetworkInterfaces" in asked:
            del asked["SubnetId"]
        id = self.ec2.run_instances(MinCount=1, MaxCount=1, **asked)["Instances"][0]["InstanceId"]
        self.wait("instance_running", InstanceIds=[id])
        return id

    def stopped_instance(self):
        id = self.instance()
        self.ec2.stop_instances(InstanceIds=[id])
        self.wait("instance_stopped", InstanceIds=[id])
        return id

    def described(self, instance):
        found = self.ec2.describe_instances(InstanceIds=[instance])
        return found["Reservations"][0]["Instances"][0]

    def wait(self, waiter, **asked):
        often = {"Delay": 0.05, "MaxAttempts": 400}
        self.ec2.get_waiter(waiter).wait(**asked, WaiterConfig=often)

    def profile(self, name):
        """An instance profile with a role in it."""
        self.iam.create_instance_profile(InstanceProfileName=name)
        self.role(name)
        self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def associated_profile(self, instance, name="admin-role"):
        """The id of a new association that has settled."""
        self.profile(name)
        made = self.ec2.associate_iam_instance_profile(InstanceId=instance, IamInstanceProfile={"Name": name})
        id = made["IamInstanceProfileAssociation"]["AssociationId"]
        until(lambda: self._association(id)["State"] == "associated")
        return id

    def _association(self, id):
        found = self.ec2.describe_iam_instance_profile_associations(AssociationIds=[id])
        return found["IamInstanceProfileAssociations"][0]

    # --- IAM's

    def role(self, name, **more):
        return self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]["Arn"]

    def open_role(self, name):
        """A role that everybody of the account may take."""
        actions = '["sts:AssumeRole","sts:TagSession"]'
        trust = f'{{"Effect":"Allow","Principal":{{"AWS":"{self.id}"}},"Action":{actions}}}'
        document = f'{{"Version":"2012-10-17","Statement":{trust}}}'
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        return made["Role"]["Arn"]

    def user(self, name):
        """A new user with all rights, as a caller."""
        self.iam.create_user(UserName=name)
        self.iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=POLICY)
        return self.iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"], None

    def assumed(self, role, session):
        """Whoever took a new role, as a caller."""
        sts = self.client("sts", self.user("taker"))
        return temporary(sts.assume_role(RoleArn=self.open_role(role), RoleSessionName=session))

    def federated(self, name):
        return temporary(self.client("sts", self.user("broker")).get_federation_token(Name=name))


def temporary(answer):
    """The caller with the credentials of an answer of STS."""
    return answer["Credentials"]["AccessKeyId"], answer["Credentials"]["SessionToken"]
