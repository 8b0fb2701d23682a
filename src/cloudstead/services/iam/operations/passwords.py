"""Passwords for the console, kept as scrypt hashes, and the account's rules for them."""

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import msgspec

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.iam.directory import Directory, refuse_unbuilt
from cloudstead.services.iam.errors import (
    EntityAlreadyExists,
    InvalidUserType,
    NoSuchEntity,
    PasswordPolicyViolation,
    ValidationError,
)
from cloudstead.services.iam.model import Account, LoginProfile, PasswordPolicy, User

if TYPE_CHECKING:
    from types_boto3_iam.type_defs import (
        ChangePasswordRequestTypeDef,
        CreateLoginProfileRequestTypeDef,
        DeleteLoginProfileRequestTypeDef,
        GetLoginProfileRequestTypeDef,
        UpdateAccountPasswordPolicyRequestTypeDef,
        UpdateLoginProfileRequestTypeDef,
    )

_SALT_BYTES = 16
_SYMBOLS = frozenset("!@#$%^&*()_+-=[]{}|'")
#: What AWS asks of passwords when the account has no policy of its own.
_DEFAULT_LENGTH, _DEFAULT_KINDS = 8, 3


class Passwords:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._store = directory.store
        self._tools = directory.tools

    def create_login_profile(
        self, caller: Caller, request: "CreateLoginProfileRequestTypeDef"
    ) -> dict[str, Any]:
        refuse_unbuilt(request, "MaxSigninSessionDuration")
        user = self._user(caller, request.get("UserName"))
        password = request.get("Password")
        if password is None:
            raise ValidationError("Password is required.")
        salt, hash = _hashed(password, self._tools)
        with self._store.transaction():
            if self._store.get(LoginProfile, user.id) is not None:
                raise EntityAlreadyExists(f"Login Profile for user {user.name} already exists.")
            self._check(caller.account, password)
            made = self._store.insert(
                LoginProfile(
                    id=user.id,
                    account=caller.account,
                    created_at=self._tools.this_second(),
                    salt=salt,
                    hash=hash,
                    reset_required=request.get("PasswordResetRequired", False),
                )
            )
        return {"LoginProfile": _show(made, user)}

    def get_login_profile(self, caller: Caller, request: "GetLoginProfileRequestTypeDef") -> dict[str, Any]:
        user = self._user(caller, request.get("UserName"))
        return {"LoginProfile": _show(self._find(user), user)}

    def update_login_profile(self, caller: Caller, request: "UpdateLoginProfileRequestTypeDef") -> None:
        refuse_unbuilt(request, "MaxSigninSessionDuration")
        user = self._user(caller, request["UserName"])
        password = request.get("Password")
        fields: dict[str, object] = {}
        if password is not None:
            fields["salt"], fields["hash"] = _hashed(password, self._tools)
        if (reset := request.get("PasswordResetRequired")) is not None:
            fields["reset_required"] = reset
        with self._store.transaction():
            found = self._find(user)
            if password is not None:
                self._check(caller.account, password)
            self._store.update(found, **fields)

    def delete_login_profile(self, caller: Caller, request: "DeleteLoginProfileRequestTypeDef") -> None:
        with self._store.transaction():
            self._store.delete(self._find(self._user(caller, request.get("UserName"))))

    def change_password(self, caller: Caller, request: "ChangePasswordRequestTypeDef") -> None:
        user = self._store.get(User, caller.user_id)
        if user is None:
            raise InvalidUserType("Only IAM Users can change their own password.")
        salt, hash = _hashed(request["NewPassword"], self._tools)
        with self._store.transaction():
            found = self._find(user)
            if not password_is(found, request["OldPassword"]):
                raise PasswordPolicyViolation("The old password was incorrect.")
            self._check(caller.account, request["NewPassword"])
            self._store.update(found, salt=salt, hash=hash, reset_required=False)

    # --- the account's rules

    def update_account_password_policy(
        self, caller: Caller, request: "UpdateAccountPasswordPolicyRequestTypeDef"
    ) -> None:
        """Members left out fall back to their defaults; nothing of an earlier policy stays."""
        wanted = PasswordPolicy(
            minimum_length=request.get("MinimumPasswordLength", 6),
            symbols=request.get("RequireSymbols", False),
            numbers=request.get("RequireNumbers", False),
            uppercase=request.get("RequireUppercaseCharacters", False),
            lowercase=request.get("RequireLowercaseCharacters", False),
            users_may_change=request.get("AllowUsersToChangePassword", False),
            max_age_days=request.get("MaxPasswordAge", 0),
            reuse_prevention=request.get("PasswordReusePrevention", 0),
            hard_expiry=request.get("HardExpiry", False),
        )
        with self._store.transaction():
            self._store.update(self._account(caller.account), password_policy=wanted)

    def get_account_password_policy(self, caller: Caller, _request: dict[str, Any]) -> dict[str, Any]:
        policy = self._account(caller.account).password_policy
        if policy is None:
            raise _no_policy(caller.account)
        return {"PasswordPolicy": _show_policy(policy)}

    def delete_account_password_policy(self, caller: Caller, _request: dict[str, Any]) -> None:
        with self._store.transaction():
            account = self._account(caller.account)
            if account.password_policy is None:
                raise _no_policy(caller.account)
            self._store.update(account, password_policy=None)

    # --- inside

    def _user(self, caller: Caller, name: str | None) -> User:
        user = self._directory.user_or_caller(caller, {"UserName": name})
        if user is None:
            raise InvalidUserType("The root user's password cannot be managed with IAM.")
        return user

    def _find(self, user: User) -> LoginProfile:
        found = self._store.get(LoginProfile, user.id)
        if found is None:
            raise NoSuchEntity(f"Login Profile for User {user.name} cannot be found.")
        return found

    def _account(self, id: str) -> Account:
        found = self._store.get(Account, id)
        return found or self._store.insert(Account(id=id, created_at=self._tools.this_second()))

    def _check(self, account: str, password: str) -> None:
        broken = _broken_rule(self._account(account).password_policy, password)
        if broken is not None:
            raise PasswordPolicyViolation(broken)


def password_is(profile: LoginProfile, password: str) -> bool:
    """Whether this is the profile's password. Takes some 50 ms on purpose."""
    return hmac.compare_digest(profile.hash, _scrypt(password, profile.salt))


def _hashed(password: str, tools: Tools) -> tuple[bytes, bytes]:
    salt = tools.random.randbytes(_SALT_BYTES)
    return salt, _scrypt(password, salt)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1, maxmem=64 << 20)


def _broken_rule(policy: PasswordPolicy | None, password: str) -> str | None:
    upper, lower = any(c.isupper() for c in password), any(c.islower() for c in password)
    digit, symbol = any(c.isdigit() for c in password), any(c in _SYMBOLS for c in password)
    if policy is None:
        if len(password) < _DEFAULT_LENGTH or upper + lower + digit + symbol < _DEFAULT_KINDS:
            return (
                "Password does not conform to the account password policy: it must have at least 8 characters and "
                "a mix of at least three of uppercase, lowercase, numbers and symbols."
            )
        return None
    if len(password) < policy.minimum_length:
        return f"Password should have a minimum length of {policy.minimum_length}"
    if policy.uppercase and not upper:
        return "Password should have at least one uppercase letter"
    if policy.lowercase and not lower:
        return "Password should have at least one lowercase letter"
    if policy.numbers and not digit:
        return "Password should have at least one number"
    if policy.symbols and not symbol:
        return "Password should have at least one symbol"
    return None


def _no_policy(account: str) -> NoSuchEntity:
    return NoSuchEntity(f"The Password Policy with domain name {account} cannot be found.")


def _show(row: LoginProfile, user: User) -> dict[str, Any]:
    return {
        "UserName": user.name,
        "CreateDate": row.created_at,
        "PasswordResetRequired": row.reset_required,
    }


def _show_policy(policy: PasswordPolicy) -> dict[str, Any]:
    p = msgspec.structs.asdict(policy)
    shown: dict[str, Any] = {
        "MinimumPasswordLength": p["minimum_length"],
        "RequireSymbols": p["symbols"],
        "RequireNumbers": p["numbers"],
        "RequireUppercaseCharacters": p["uppercase"],
        "RequireLowercaseCharacters": p["lowercase"],
        "AllowUsersToChangePassword": p["users_may_change"],
        "ExpirePasswords": policy.max_age_days > 0,
    }
    if policy.max_age_days:
        shown |= {"MaxPasswordAge": policy.max_age_days, "HardExpiry": policy.hard_expiry}
    if policy.reuse_prevention:
        shown["PasswordReusePrevention"] = policy.reuse_prevention
    return shown
