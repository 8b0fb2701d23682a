"""IAM and STS over one store, with callers as the gateway would find them."""

import json
import random

from tests.support.api import ACCOUNT, Api

from cloudstead.core.caller import Caller
from cloudstead.core.clock import ManualClock
from cloudstead.core.tools import Tools
from cloudstead.services.iam.credentials import StoredCredentials, ensure_root
from cloudstead.services.iam.operations import parts
from cloudstead.services.sts.operations import Sts
from cloudstead.store import Store


class World:
    """One account with its root key; nobody else in it yet."""

    def __init__(self, clock=None):
        self.clock = clock or ManualClock()
        self.tools = Tools(clock=self.clock, random=random.Random(7))
        self.store = Store(None)
        self.root_key, _ = ensure_root(self.store, self.tools, ACCOUNT)
        self.iam = Api("iam", *parts(self.store, self.tools))
        self.sts = Api("sts", Sts(self.store, self.tools))
        self.credentials = StoredCredentials(self.store)

    def caller(self, access_key_id):
        """Who signs with this key, as the gateway makes it out."""
        found = self.credentials.find(access_key_id)
        return Caller(
            account=found.account,
            region="us-east-1",
            arn=found.arn,
            user_id=found.user_id,
            principal=found.principal,
            access_key_id=found.access_key_id,
            source_ip="192.0.2.7",
        )

    def user(self, name, **more):
        """A new user, as a caller with its key."""
        self.iam.create_user(UserName=name, **more)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return self.caller(key["AccessKeyId"])

    def role(self, name, *statements, **more):
        """A new role that trusts as these statements say; its ARN."""
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)
        return made["Role"]["Arn"]

    def assume(self, caller, role, name="session", **more):
        return self.sts.by(caller).assume_role(RoleArn=role, RoleSessionName=name, **more)

    def assumed(self, caller, role, name="session", **more):
        """A caller with the keys of the role."""
        return self.caller(self.assume(caller, role, name, **more)["Credentials"]["AccessKeyId"])


def allow(principal, *actions, **more):
    """A statement of a trust policy."""
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": list(actions) or "sts:AssumeRole",
        **more,
    }
