"""The errors that the references of IAM, STS, SSM and KMS list for their operations, provoked: code and HTTP status."""

import pytest
from botocore.exceptions import ClientError
from tests.parity.account import POLICY, TRUST


def _iam(name, **asked):
    return lambda account: getattr(account.iam, name)(**asked)


def _ssm(name, **asked):
    return lambda account: getattr(account.client("ssm"), name)(**asked)


def _kms(name, before=(), **asked):
    """Asked of a key that is new but for what comes before."""

    def ask(account):
        kms = account.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        for each in before:
            getattr(kms, each)(KeyId=key)
        getattr(kms, name)(**{"KeyId": key, **asked})

    return ask


def _aliases(*names):
    def ask(account):
        kms = account.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        for name in names:
            kms.create_alias(AliasName=name, TargetKeyId=key)

    return ask


def _twice(ask):
    return lambda account: (ask(account), ask(account))


def _three_keys(account):
    account.iam.create_user(UserName="Bob")
    for _ in range(3):
        account.iam.create_access_key(UserName="Bob")


def _user_with_key(account):
    account.user("Bob")
    account.iam.delete_user(UserName="Bob")


def _six_versions(account):
    arn = account.iam.create_policy(PolicyName="mine", PolicyDocument=POLICY)["Policy"]["Arn"]
    for _ in range(5):
        account.iam.create_policy_version(PolicyArn=arn, PolicyDocument=POLICY)


def _linked_role(account):
    made = account.iam.create_service_linked_role(AWSServiceName="lex.amazonaws.com")
    account.iam.delete_role(RoleName=made["Role"]["RoleName"])


def _two_roles_in_one_profile(account):
    account.profile("mine")
    account.role("other")
    account.iam.add_role_to_instance_profile(InstanceProfileName="mine", RoleName="other")


def _weak_password(account):
    account.iam.update_account_password_policy(MinimumPasswordLength=20)
    account.iam.create_user(UserName="Bob")
    account.iam.create_login_profile(UserName="Bob", Password="short-but-8")


def _sts(name, **asked):
    return lambda account: getattr(account.client("sts", account.user("Bob")), name)(**asked)


def _too_long(account):
    role = account.open_role("mine")
    _sts("assume_role", RoleArn=role, RoleSessionName="session", DurationSeconds=7200)(account)


_PARAMETER = {"Name": "mine", "Value": "1", "Type": "String"}


def _no_version(account):
    _ssm("put_parameter", **_PARAMETER)(account)
    _ssm("get_parameter", Name="mine:9")(account)


PROVOKED = [
    (404, "NoSuchEntity", _iam("get_user", UserName="none")),
    (404, "NoSuchEntity", _iam("get_role", RoleName="none")),
    (404, "NoSuchEntity", _iam("get_policy", PolicyArn="arn:aws:iam::aws:policy/NoneAtAll")),
    (404, "NoSuchEntity", _iam("get_account_password_policy")),
    (409, "EntityAlreadyExists", _twice(_iam("create_user", UserName="Bob"))),
    (409, "EntityAlreadyExists", _twice(_iam("create_group", GroupName="mine"))),
    (
        409,
        "EntityAlreadyExists",
        _twice(_iam("create_role", RoleName="mine", AssumeRolePolicyDocument=TRUST)),
    ),
    (409, "LimitExceeded", _three_keys),
    (409, "LimitExceeded", _six_versions),
    (409, "LimitExceeded", _two_roles_in_one_profile),
    (409, "DeleteConflict", _user_with_key),
    (400, "MalformedPolicyDocument", _iam("create_policy", PolicyName="mine", PolicyDocument='{"x":1}')),
    (400, "UnmodifiableEntity", _linked_role),
    (400, "PasswordPolicyViolation", _weak_password),
    (400, "InvalidInput", _iam("create_service_linked_role", AWSServiceName="none")),
    (400, "ValidationError", _iam("create_user", UserName="a b")),
    (403, "AccessDenied", _sts("assume_role", RoleArn="arn:aws:iam::1:role/mine", RoleSessionName="session")),
    (400, "ValidationError", _too_long),
    (
        400,
        "MalformedPolicyDocument",
        _sts("get_federation_token", Name="mine", Policy='{"x":1}'),
    ),
    (400, "ParameterNotFound", _ssm("get_parameter", Name="none")),
    (400, "ParameterNotFound", _ssm("delete_parameter", Name="none")),
    (400, "ParameterVersionNotFound", _no_version),
    (400, "ParameterAlreadyExists", _twice(_ssm("put_parameter", **_PARAMETER))),
    (
        400,
        "ParameterPatternMismatchException",
        _ssm("put_parameter", **_PARAMETER, AllowedPattern="^a$"),
    ),
    (
        400,
        "HierarchyLevelLimitExceededException",
        _ssm("put_parameter", **_PARAMETER | {"Name": "/" + "/".join("a" * 16)}),
    ),
    (
        400,
        "InvalidFilterKey",
        _ssm("get_parameters_by_path", Path="/", ParameterFilters=[{"Key": "Name", "Values": ["x"]}]),
    ),
    (
        400,
        "InvalidFilterOption",
        _ssm("describe_parameters", ParameterFilters=[{"Key": "Name", "Option": "None", "Values": ["x"]}]),
    ),
    (400, "InvalidResourceId", _ssm("list_tags_for_resource", ResourceType="Parameter", ResourceId="none")),
    (400, "InvalidNextToken", _ssm("describe_parameters", NextToken="none")),
    (400, "NotFoundException", _kms("describe_key", KeyId="none")),
    (400, "InvalidArnException", _kms("describe_key", KeyId="arn:aws:kms:us-east-1:1:none")),
    (400, "DisabledException", _kms("encrypt", ["disable_key"], Plaintext=b"x")),
    (400, "KMSInvalidStateException", _kms("encrypt", ["schedule_key_deletion"], Plaintext=b"x")),
    (400, "KMSInvalidStateException", _kms("cancel_key_deletion")),
    (400, "InvalidCiphertextException", _kms("decrypt", CiphertextBlob=b"x")),
    (400, "InvalidKeyUsageException", _kms("encrypt", Plaintext=b"x", EncryptionAlgorithm="SM2PKE")),
    (400, "DryRunOperationException", _kms("encrypt", Plaintext=b"x", DryRun=True)),
    (400, "InvalidMarkerException", _kms("list_aliases", Marker="?")),
    (400, "MalformedPolicyDocumentException", _kms("put_key_policy", Policy="{}")),
    (400, "TagException", _kms("tag_resource", Tags=[{"TagKey": "aws:x", "TagValue": "x"}])),
    (400, "AlreadyExistsException", _aliases("alias/mine", "alias/mine")),
    (400, "LimitExceededException", _aliases(*(f"alias/{n}" for n in range(51)))),
]


@pytest.mark.parametrize(
    ("status", "code", "provoke"),
    PROVOKED,
    ids=[f"{number}-{each[1]}" for number, each in enumerate(PROVOKED)],
)
def test_the_documented_error_is_answered_with_its_status(account, status, code, provoke):
    with pytest.raises(ClientError) as refused:
        provoke(account)
    response = refused.value.response
    found = response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]
    assert found == (status, code), response["Error"]["Message"]
