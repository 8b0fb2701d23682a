"""Whether a role's trust policy lets somebody take the role on.

A principal that is an account stands for everybody in it: AWS then asks the identity's own policies, too, and so will
enforcement once it is built.
"""

from cloudstead.services.iam.conditions import Context
from cloudstead.services.iam.resource_policies import Asking, decision


def is_trusted(trust_policy: str, action: str, asking: Asking, context: Context) -> bool:
    """Whether some statement allows the action and none denies it."""
    return decision(trust_policy, action, asking, context) == "Allow"
