"""The policies that AWS manages: those that people attach, as far as they speak of services that exist here.

They look like a customer's policies that belong to the account "aws", and are never stored. Their ids are made from
their names and are not AWS's; all are at version 1.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cloudstead.services.iam.keys import POLICY
from cloudstead.services.iam.model import Policy, PolicyVersion, slot

_OWNER = "aws"
_SINCE = datetime(2015, 2, 6, 18, 40, tzinfo=UTC)

Statement = Mapping[str, Any]


def _allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def _linked(*services: str) -> Statement:
    """Lets the holder have these services make their own roles."""
    return _allow(
        "iam:CreateServiceLinkedRole",
        Condition={
            "StringEquals": {"iam:AWSServiceName": [f"{service}.amazonaws.com" for service in services]}
        },
    )


_READ_EC2_NETWORK = (
    "ec2:DescribeAccountAttributes",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcs",
)
_READ_CLOUDWATCH = ("cloudwatch:DescribeAlarms", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics")
_SSM_AGENT = (
    "ssm:DescribeAssociation",
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetDocument",
    "ssm:DescribeDocument",
    "ssm:GetManifest",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutInventory",
    "ssm:PutComplianceItems",
    "ssm:PutConfigurePackageResult",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
)
_READ_EVERYTHING = (
    "autoscaling:Describe*", "cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*",
    "cloudfront:Describe*", "cloudfront:Get*", "cloudfront:List*", "cloudtrail:Describe*", "cloudtrail:Get*",
    "cloudtrail:List*", "cloudtrail:LookupEvents", "cloudwatch:Describe*", "cloudwatch:Get*", "cloudwatch:List*",
    "dynamodb:BatchGet*", "dynamodb:Describe*", "dynamodb:Get*", "dynamodb:List*", "dynamodb:Query",
    "dynamodb:Scan", "ec2:Describe*", "ec2:Get*", "ec2:ListImagesInRecycleBin", "ec2:ListSnapshotsInRecycleBin",
    "ec2:SearchLocalGatewayRoutes", "ec2:SearchTransitGatewayRoutes", "ecr:BatchCheck*", "ecr:BatchGet*",
    "ecr:Describe*", "ecr:Get*", "ecr:List*", "ecs:Describe*", "ecs:List*", "elasticfilesystem:Describe*",
    "elasticfilesystem:ListTagsForResource", "elasticloadbalancing:Describe*", "events:Describe*", "events:List*",
    "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*", "kms:Describe*", "kms:Get*", "kms:List*",
    "lambda:Get*", "lambda:List*", "logs:Describe*", "logs:FilterLogEvents", "logs:Get*", "logs:ListTagsLogGroup",
    "rds:Describe*", "rds:Download*", "rds:List*", "resource-groups:Get*", "resource-groups:List*",
    "route53:Get*", "route53:List*", "route53:Test*", "route53domains:Check*", "route53domains:Get*",
    "route53domains:List*", "route53domains:View*", "s3:DescribeJob", "s3:Get*", "s3:List*",
    "secretsmanager:Describe*", "secretsmanager:GetResourcePolicy", "secretsmanager:List*", "sns:Get*", "sns:List*",
    "sqs:Get*", "sqs:List*", "sqs:Receive*", "ssm:Describe*", "ssm:Get*", "ssm:List*", "sts:GetAccessKeyInfo",
    "sts:GetCallerIdentity", "sts:GetSessionToken", "tag:DescribeReportCreation", "tag:Get*",
)  # fmt: skip
_READ_IAM = (
    "iam:GenerateCredentialReport",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:Get*",
    "iam:List*",
)
_SIMULATE_IAM = ("iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy")


def _documents() -> Iterator[tuple[str, str, str, list[Statement]]]:
    """Path, name, description and statements of each."""
    yield "/", "AdministratorAccess", "Provides full access to AWS services and resources.", [_allow("*")]
    yield (
        "/",
        "PowerUserAccess",
        "Provides full access to AWS services, but not to users and groups.",
        [
            {
                "Effect": "Allow",
                "NotAction": ["iam:*", "organizations:*", "account:*"],
                "Resource": "*",
            },
            _allow(
                "iam:CreateServiceLinkedRole",
                "iam:DeleteServiceLinkedRole",
                "iam:ListRoles",
                "organizations:DescribeOrganization",
                "account:ListRegions",
                "account:GetAccountInformation",
            ),
        ],
    )
    yield (
        "/",
        "ReadOnlyAccess",
        "Provides read-only access to AWS services and resources.",
        [_allow(*_READ_EVERYTHING)],
    )
    yield (
        "/job-function/",
        "ViewOnlyAccess",
        "Lets one see what there is, without reading its contents.",
        [
            _allow(
                "autoscaling:Describe*",
                "cloudfront:List*",
                "cloudwatch:Describe*",
                "cloudwatch:List*",
                "ec2:Describe*",
                "elasticfilesystem:Describe*",
                "elasticloadbalancing:Describe*",
                "iam:Get*",
                "iam:List*",
                "rds:Describe*",
                "route53:List*",
                "s3:ListAllMyBuckets",
                "s3:ListBucket",
                "ssm:Describe*",
                "ssm:List*",
            )
        ],
    )
    yield (
        "/",
        "IAMFullAccess",
        "Provides full access to IAM.",
        [_allow("iam:*", "organizations:DescribeAccount", "organizations:DescribeOrganization")],
    )
    yield "/", "IAMReadOnlyAccess", "Provides read-only access to IAM.", [_allow(*_READ_IAM, *_SIMULATE_IAM)]
    yield (
        "/",
        "IAMUserChangePassword",
        "Lets a user change its own password.",
        [
            _allow("iam:ChangePassword", resource=["arn:aws:iam::*:user/${aws:username}"]),
            _allow("iam:GetAccountPasswordPolicy"),
        ],
    )
    yield from _compute()
    yield from _storage_and_names()
    yield from _watching_and_agents()


def _compute() -> Iterator[tuple[str, str, str, list[Statement]]]:
    yield (
        "/",
        "AmazonEC2FullAccess",
        "Provides full access to Amazon EC2.",
        [
            _allow("ec2:*"),
            _allow("elasticloadbalancing:*"),
            _allow("cloudwatch:*"),
            _allow("autoscaling:*"),
            _linked(
                "autoscaling", "ec2scheduled", "elasticloadbalancing", "spot", "spotfleet", "transitgateway"
            ),
        ],
    )
    yield (
        "/",
        "AmazonEC2ReadOnlyAccess",
        "Provides read-only access to Amazon EC2.",
        [
            _allow("ec2:Describe*", "ec2:GetSecurityGroupsForVpc"),
            _allow("elasticloadbalancing:Describe*"),
            _allow("cloudwatch:ListMetrics", "cloudwatch:GetMetricStatistics", "cloudwatch:Describe*"),
            _allow("autoscaling:Describe*"),
        ],
    )
    yield (
        "/",
        "AmazonVPCFullAccess",
        "Provides full access to Amazon VPC.",
        [
            _allow(
                "ec2:*Address*",
                "ec2:*Acl*",
                "ec2:*DhcpOptions*",
                "ec2:*EgressOnlyInternetGateway*",
                "ec2:*FlowLogs*",
                "ec2:*InternetGateway*",
                "ec2:*NatGateway*",
                "ec2:*NetworkAcl*",
                "ec2:*NetworkInterface*",
                "ec2:*PrefixList*",
                "ec2:*Route*",
                "ec2:*SecurityGroup*",
                "ec2:*Subnet*",
                "ec2:*Vpc*",
                "ec2:CreateTags",
                "ec2:DeleteTags",
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeInstances",
                "ec2:DescribeKeyPairs",
                "ec2:DescribeTags",
            )
        ],
    )
    yield (
        "/",
        "AmazonVPCReadOnlyAccess",
        "Provides read-only access to Amazon VPC.",
        [
            _allow(
                *_READ_EC2_NETWORK,
                "ec2:DescribeAddresses",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeEgressOnlyInternetGateways",
                "ec2:DescribeFlowLogs",
                "ec2:DescribeNatGateways",
                "ec2:DescribeNetworkAcls",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribePrefixLists",
                "ec2:DescribeRouteTables",
                "ec2:DescribeTags",
                "ec2:DescribeVpcPeeringConnections",
            )
        ],
    )
    yield (
        "/",
        "AutoScalingFullAccess",
        "Provides full access to Auto Scaling.",
        [
            _allow("autoscaling:*"),
            _allow("cloudwatch:PutMetricAlarm"),
            _allow(
                *_READ_EC2_NETWORK,
                "ec2:DescribeImages",
                "ec2:DescribeInstanceAttribute",
                "ec2:DescribeInstances",
                "ec2:DescribeKeyPairs",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:DescribePlacementGroups",
                "ec2:DescribeSpotInstanceRequests",
            ),
            _allow("elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTargetGroups"),
            _linked("autoscaling"),
        ],
    )
    yield (
        "/",
        "AutoScalingReadOnlyAccess",
        "Provides read-only access to Auto Scaling.",
        [_allow("autoscaling:Describe*")],
    )
    yield (
        "/",
        "ElasticLoadBalancingFullAccess",
        "Provides full access to Elastic Load Balancing.",
        [
            _allow("elasticloadbalancing:*"),
            _allow(
                *_READ_EC2_NETWORK,
                "ec2:DescribeAddresses",
                "ec2:DescribeInstances",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeRouteTables",
                "ec2:DescribeVpcClassicLink",
                "cognito-idp:DescribeUserPoolClient",
            ),
            _linked("elasticloadbalancing"),
        ],
    )
    yield (
        "/",
        "ElasticLoadBalancingReadOnly",
        "Provides read-only access to Elastic Load Balancing.",
        [
            _allow("elasticloadbalancing:Describe*"),
            _allow(
                "ec2:DescribeInstances",
                "ec2:DescribeClassicLinkInstances",
                "ec2:DescribeSecurityGroups",
                "arc-zonal-shift:GetManagedResource",
            ),
        ],
    )
    yield (
        "/service-role/",
        "AWSLambdaBasicExecutionRole",
        "Provides write permissions to CloudWatch Logs.",
        [_allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")],
    )


def _storage_and_names() -> Iterator[tuple[str, str, str, list[Statement]]]:
    yield (
        "/",
        "AmazonS3FullAccess",
        "Provides full access to all buckets.",
        [_allow("s3:*", "s3-object-lambda:*")],
    )
    yield (
        "/",
        "AmazonS3ReadOnlyAccess",
        "Provides read-only access to all buckets.",
        [
            _allow(
                "s3:Get*",
                "s3:List*",
                "s3:Describe*",
                "s3-object-lambda:Get*",
                "s3-object-lambda:List*",
            )
        ],
    )
    yield (
        "/",
        "AmazonElasticFileSystemFullAccess",
        "Provides full access to Amazon EFS.",
        [
            _allow(
                *_READ_CLOUDWATCH,
                *_READ_EC2_NETWORK,
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaceAttribute",
                "ec2:DescribeNetworkInterfaces",
                "ec2:ModifyNetworkInterfaceAttribute",
                "elasticfilesystem:*",
                "kms:DescribeKey",
                "kms:ListAliases",
            ),
            _linked("elasticfilesystem"),
        ],
    )
    yield (
        "/",
        "AmazonElasticFileSystemReadOnlyAccess",
        "Provides read-only access to Amazon EFS.",
        [
            _allow(
                *_READ_CLOUDWATCH,
                *_READ_EC2_NETWORK,
                "ec2:DescribeNetworkInterfaceAttribute",
                "ec2:DescribeNetworkInterfaces",
                "elasticfilesystem:Describe*",
                "elasticfilesystem:ListTagsForResource",
                "kms:ListAliases",
            )
        ],
    )
    yield (
        "/",
        "AmazonElasticFileSystemClientReadWriteAccess",
        "Lets a client read and write over NFS.",
        [
            _allow(
                "elasticfilesystem:ClientMount",
                "elasticfilesystem:ClientWrite",
                "elasticfilesystem:DescribeMountTargets",
            )
        ],
    )
    yield (
        "/",
        "AmazonRDSFullAccess",
        "Provides full access to Amazon RDS.",
        [
            _allow(
                "rds:*",
                *_READ_CLOUDWATCH,
                "cloudwatch:DeleteAlarms",
                "cloudwatch:PutMetricAlarm",
                *_READ_EC2_NETWORK,
                "sns:ListSubscriptions",
                "sns:ListTopics",
                "sns:Publish",
                "logs:DescribeLogStreams",
                "logs:GetLogEvents",
            ),
            _linked("rds"),
        ],
    )
    yield (
        "/",
        "AmazonRDSReadOnlyAccess",
        "Provides read-only access to Amazon RDS.",
        [
            _allow(
                "rds:Describe*",
                "rds:ListTagsForResource",
                *_READ_EC2_NETWORK,
                "cloudwatch:GetMetricStatistics",
                "logs:DescribeLogStreams",
                "logs:GetLogEvents",
            )
        ],
    )
    yield (
        "/",
        "AmazonRoute53FullAccess",
        "Provides full access to all Amazon Route 53.",
        [
            _allow(
                "route53:*",
                "route53domains:*",
                "cloudfront:ListDistributions",
                "elasticloadbalancing:DescribeLoadBalancers",
                "s3:ListBucket",
                "s3:GetBucketLocation",
                "s3:GetBucketWebsite",
                "ec2:DescribeVpcs",
                "ec2:DescribeRegions",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricStatistics",
            )
        ],
    )
    yield (
        "/",
        "AmazonRoute53ReadOnlyAccess",
        "Provides read-only access to all Amazon Route 53.",
        [_allow("route53:Get*", "route53:List*", "route53:TestDNSAnswer")],
    )
    yield (
        "/",
        "CloudFrontFullAccess",
        "Provides full access to CloudFront.",
        [
            _allow("s3:ListAllMyBuckets", resource="arn:aws:s3:::*"),
            _allow(
                "acm:ListCertificates",
                "cloudfront:*",
                "iam:ListServerCertificates",
                "waf:ListWebACLs",
                "waf:GetWebACL",
                "wafv2:ListWebACLs",
                "wafv2:GetWebACL",
            ),
        ],
    )
    yield (
        "/",
        "CloudFrontReadOnlyAccess",
        "Provides access to CloudFront distributions' settings.",
        [_allow("acm:ListCertificates", "cloudfront:Describe*", "cloudfront:Get*", "cloudfront:List*")],
    )


def _watching_and_agents() -> Iterator[tuple[str, str, str, list[Statement]]]:
    yield (
        "/",
        "CloudWatchFullAccess",
        "Provides full access to CloudWatch.",
        [_allow("autoscaling:Describe*", "cloudwatch:*", "logs:*", "sns:*", "iam:GetPolicy", "iam:GetRole")],
    )
    yield (
        "/",
        "CloudWatchReadOnlyAccess",
        "Provides read-only access to CloudWatch.",
        [
            _allow(
                "autoscaling:Describe*",
                "cloudwatch:Describe*",
                "cloudwatch:Get*",
                "cloudwatch:List*",
                "logs:Describe*",
                "logs:Get*",
                "logs:List*",
                "logs:FilterLogEvents",
                "sns:Get*",
                "sns:List*",
            )
        ],
    )
    yield (
        "/",
        "CloudWatchAgentServerPolicy",
        "What the CloudWatch agent needs on a server.",
        [
            _allow(
                "cloudwatch:PutMetricData",
                "ec2:DescribeVolumes",
                "ec2:DescribeTags",
                "logs:PutLogEvents",
                "logs:PutRetentionPolicy",
                "logs:DescribeLogStreams",
                "logs:DescribeLogGroups",
                "logs:CreateLogStream",
                "logs:CreateLogGroup",
            ),
            _allow("ssm:GetParameter", resource="arn:aws:ssm:*:*:parameter/AmazonCloudWatch-*"),
        ],
    )
    yield "/", "CloudWatchLogsFullAccess", "Provides full access to CloudWatch Logs.", [_allow("logs:*")]
    yield (
        "/",
        "AmazonSSMManagedInstanceCore",
        "What an instance needs to be managed by Systems Manager.",
        [_allow(*_SSM_AGENT)],
    )
    yield (
        "/",
        "AmazonSSMFullAccess",
        "Provides full access to Systems Manager.",
        [
            _allow(
                "cloudwatch:PutMetricData", "ec2:DescribeInstanceStatus", "logs:*", "ssm:*", "ec2messages:*"
            ),
            _linked("ssm"),
            _allow(
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ),
        ],
    )
    yield (
        "/",
        "AmazonSSMReadOnlyAccess",
        "Provides read-only access to Systems Manager.",
        [_allow("ssm:Describe*", "ssm:Get*", "ssm:List*")],
    )
    yield "/", "AmazonDynamoDBFullAccess", "Provides full access to DynamoDB.", [_allow("dynamodb:*")]
    yield "/", "AmazonSQSFullAccess", "Provides full access to SQS.", [_allow("sqs:*")]
    yield "/", "AmazonSNSFullAccess", "Provides full access to SNS.", [_allow("sns:*")]


def _policy(path: str, name: str, description: str, statements: list[Statement]) -> Policy:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements}, indent=4)
    digest = base64.b32encode(hashlib.sha256(name.encode()).digest()).decode()
    return Policy(
        id=POLICY + digest[:17],
        account=_OWNER,
        slot=slot(_OWNER, name),
        name=name,
        path=path,
        created_at=_SINCE,
        updated_at=_SINCE,
        description=description,
        versions=[PolicyVersion(number=1, document=document, created_at=_SINCE)],
    )


#: By ARN.
POLICIES: Mapping[str, Policy] = {
    policy.arn(): policy for policy in (_policy(*described) for described in _documents())
}
