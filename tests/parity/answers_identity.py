"""Calls of IAM, STS and SSM whose answers have all that the command line's reference shows of them."""

from tests.parity.account import POLICY, TRUST

_TAGS = [{"Key": "Name", "Value": "shown"}]


def _parameter(account, ask):
    ssm = account.client("ssm")
    ssm.put_parameter(Name="mine", Value="1", Type="String", Description="one")
    ssm.label_parameter_version(Name="mine", Labels=["label"])
    return ask(ssm)


def _user(account, **more):
    return account.iam.create_user(UserName="Bob", **more)


def _in_group(account):
    _user(account)
    account.iam.create_group(GroupName="mine")
    return account.iam.add_user_to_group(GroupName="mine", UserName="Bob")


def _policy(account):
    made = account.iam.create_policy(PolicyName="mine", PolicyDocument=POLICY, Description="mine")
    return made["Policy"]["Arn"]


def _by_user(account, ask):
    return ask(account.client("sts", account.user("Bob")))


#: By service, command and which of the answers that the reference shows of it.
ANSWERS = {
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
    ("iam", "get-group", 0): lambda account: _in_group(account) and account.iam.get_group(GroupName="mine"),
    ("iam", "list-groups", 0): lambda account: _in_group(account) and account.iam.list_groups(),
    ("iam", "list-users", 0): lambda account: _user(account) and account.iam.list_users(),
    ("iam", "get-policy", 0): lambda account: account.iam.get_policy(PolicyArn=_policy(account)),
    ("iam", "list-policy-versions", 0): lambda account: account.iam.list_policy_versions(
        PolicyArn=_policy(account)
    ),
    ("iam", "create-policy-version", 0): lambda account: account.iam.create_policy_version(
        PolicyArn=_policy(account), PolicyDocument=POLICY, SetAsDefault=True
    ),
    ("iam", "create-instance-profile", 0): lambda account: account.iam.create_instance_profile(
        InstanceProfileName="mine"
    ),
    ("iam", "create-service-linked-role", 0): lambda account: account.iam.create_service_linked_role(
        AWSServiceName="lex.amazonaws.com"
    ),
    ("iam", "create-login-profile", 1): lambda account: (
        _user(account)
        and account.iam.create_login_profile(
            UserName="Bob", Password="3s0K_;xh4~8XXI", PasswordResetRequired=True
        )
    ),
}
