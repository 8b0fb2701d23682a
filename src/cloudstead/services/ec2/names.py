"""The DNS names of addresses, as EC2 makes them. Pure; the resolver answers them by the same rules backwards."""


def private_dns_name(address: str, region: str) -> str:
    """`ip-172-31-0-5.ec2.internal`; outside us-east-1 `ip-….eu-west-1.compute.internal`."""
    return f"ip-{address.replace('.', '-')}.{private_domain(region)}"


def private_domain(region: str) -> str:
    """What a VPC's DHCP options call the domain by default."""
    return "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"


def public_dns_name(address: str, region: str) -> str:
    """`ec2-198-18-0-5.compute-1.amazonaws.com`; outside us-east-1 `ec2-….eu-west-1.compute.amazonaws.com`."""
    domain = "compute-1" if region == "us-east-1" else f"{region}.compute"
    return f"ec2-{address.replace('.', '-')}.{domain}.amazonaws.com"
