"""What has to be there before an example can be asked: ids that it speaks of, made for real.

Every id in the input becomes one fresh resource of its kind (`MADE`). Where an example needs more - things
that hang together, a name, a state - `PREPARED` has it under the example's id, or under the operation for all of its
examples: a function of the account and the input that answers the real values of documented ones.
"""

import re

from tests.parity import preparations_ec2, preparations_identity

PREPARED = preparations_ec2.PREPARED | preparations_identity.PREPARED
_ID = re.compile(r"^([a-z]+(?:-[a-z]+)*)-[0-9a-f]{7,17}\s*$")

#: By the prefix of the id.
MADE = {
    "vpc": lambda account: account.vpc,
    "subnet": lambda account: account.subnet(),
    "sg": lambda account: account.group(),
    "igw": lambda account: account.gateway(),
    "rtb": lambda account: account.route_table(),
    "acl": lambda account: account.acl(),
    "eni": lambda account: account.interface(),
    "eipalloc": lambda account: account.address(),
    "dopt": lambda account: account.options(),
    "nat": lambda account: account.nat_gateway(),
    "lt": lambda account: account.template(),
    "i": lambda account: account.instance(),
    "ami": lambda account: account.image,
}


def prepare(account, operation, example, asked):
    """The input with documented values made real."""
    special = PREPARED.get(example) or PREPARED.get(operation)
    real = dict((special(account, asked) if special else None) or {})

    def made(value):
        if isinstance(value, dict):
            return {name: made(item) for name, item in value.items()}
        if isinstance(value, list):
            return [made(item) for item in value]
        if isinstance(value, str) and value not in real and (found := _ID.match(value)):
            real[value] = MADE[found[1]](account)
        return real.get(value, value) if isinstance(value, str) else value

    return made(asked)
