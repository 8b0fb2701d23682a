"""What examples of IAM and STS need, and who asks."""

from tests.parity.account import POLICY, TRUST


def _all(*makes):
    """Things made in order."""

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


#: By the operation, for all of its examples.
PREPARED = {
    "AddRoleToInstanceProfile": _all(_profile_of, _role),
    "AddUserToGroup": _all(_group, _user),
    "AttachGroupPolicy": _group,
    "AttachRolePolicy": _role,
    "AttachUserPolicy": _user,
    "CreateAccessKey": _user,
    "CreateLoginProfile": _user,
    "CreateRole": lambda _account, _asked: {"<Stringified-JSON>": TRUST},
    "DeleteAccessKey": _all(_user, _key),
    "DeleteAccountAlias": _alias,
    "DeleteAccountPasswordPolicy": _password_policy,
    "DeleteGroupPolicy": _all(_group, _inline("group")),
    "DeleteInstanceProfile": _profile_of,
    "DeleteLoginProfile": _all(_user, _login),
    "DeleteRole": _role,
    "DeleteRolePolicy": _all(_role, _inline("role")),
    "DeleteUser": _user,
    "DeleteUserPolicy": _all(_user, _inline("user")),
    "GetAccountPasswordPolicy": _password_policy,
    "GetInstanceProfile": _profile_with_role,
    "GetLoginProfile": _all(_user, _login),
    "GetRole": _role,
    "GetUser": _user,
    "ListAccessKeys": _all(_user, _key, _key),
    "ListAccountAliases": _alias,
    "ListGroupPolicies": _all(_group, _two_policies),
    "ListGroupsForUser": _all(_user, _bob_in_groups),
    "ListRoleTags": _all(_role, _tagged("role", ("Dept", "12345"), ("Team", "Accounting"))),
    "ListUserTags": _all(_user, _tagged("user", ("Dept", "12345"), ("Team", "Accounting"))),
    "PutGroupPolicy": _group,
    "PutRolePolicy": _role,
    "PutUserPolicy": _user,
    "RemoveRoleFromInstanceProfile": _profile_with_role,
    "RemoveUserFromGroup": _all(_group, _user, _member),
    "TagRole": _role,
    "TagUser": _user,
    "UntagRole": _all(_role, _tagged("role", ("Dept", "12345"))),
    "UntagUser": _all(_user, _tagged("user", ("Dept", "12345"))),
    "UpdateAccessKey": _all(_user, _key),
    "UpdateAssumeRolePolicy": _role,
    "UpdateGroup": _group,
    "UpdateLoginProfile": _all(_user, _login),
    "UpdateUser": _user,
}
