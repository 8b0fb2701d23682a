"""The DHCP options of a VPC reach its instances."""

from tests.e2e.machines import instances, log_in, open_to_host
from tests.support.cloud import until


def test_an_instance_looks_names_up_where_its_vpc_says(cloud, key, tiny):
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    (table,) = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    asked = {"SubnetId": subnet, "SecurityGroupIds": [open_to_host(cloud, vpc)]}
    with instances(cloud, tiny, key=key, **asked) as (instance,):
        own = {"nameserver 10.77.0.2", "search ec2.internal"}
        until(lambda: own <= _resolv_conf(cloud, key, instance))
    options = ec2.create_dhcp_options(
        DhcpConfigurations=[
            {"Key": "domain-name", "Values": ["example.com"]},
            {"Key": "domain-name-servers", "Values": ["10.77.1.53", "AmazonProvidedDNS"]},
        ]
    )["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
    with instances(cloud, tiny, key=key, **asked) as (instance,):
        wanted = {"nameserver 10.77.1.53", "nameserver 10.77.0.2", "search example.com"}
        until(lambda: wanted <= _resolv_conf(cloud, key, instance))


def _resolv_conf(cloud, key, instance):
    return set(log_in(cloud, key, instance, "cat /etc/resolv.conf").splitlines())
