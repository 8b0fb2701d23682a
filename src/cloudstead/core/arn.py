"""Amazon Resource Names."""


def arn(service: str, resource: str, *, account: str = "", region: str = "", partition: str = "aws") -> str:
    """`arn:aws:ec2:us-east-1:123456789012:instance/i-…`; leave region or account empty where AWS does."""
    return f"arn:{partition}:{service}:{region}:{account}:{resource}"
