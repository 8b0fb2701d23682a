"""Answers have every member that the AWS command line's reference shows of them, of the same type.

The reference is read where it is installed. `LEFT_OUT` are members that are shown there and not answered here, with the
reason; one that is answered after all fails, so that the list stays true.
"""

import pytest
from tests.parity import answers_ec2, answers_identity, answers_keys
from tests.parity.documented import members, outputs

ANSWERS = answers_ec2.ANSWERS | answers_identity.ANSWERS | answers_keys.ANSWERS
_CPU_OPTIONS = "CPU options are not built"
_STATEMENT = "another policy"
LEFT_OUT = {
    ("ec2", "describe-instance-types", 0): {
        ".InstanceTypes[].VCpuInfo.ValidCores list": _CPU_OPTIONS,
        ".InstanceTypes[].VCpuInfo.ValidCores[] number": _CPU_OPTIONS,
        ".InstanceTypes[].VCpuInfo.ValidThreadsPerCore list": _CPU_OPTIONS,
        ".InstanceTypes[].VCpuInfo.ValidThreadsPerCore[] number": _CPU_OPTIONS,
    },
    ("iam", "create-role", 1): {
        ".Role.AssumeRolePolicyDocument.Statement[].Principal.AWS text": _STATEMENT,
        ".Role.AssumeRolePolicyDocument.Statement[].Sid text": _STATEMENT,
    },
}


@pytest.mark.parametrize("shown", ANSWERS, ids=lambda shown: " ".join(map(str, shown)))
def test_every_documented_member_is_answered(account, shown):
    service, command, number = shown
    absent = members(outputs(service, command)[number]) - members(ANSWERS[shown](account))
    assert absent == LEFT_OUT.get(shown, {}).keys()
