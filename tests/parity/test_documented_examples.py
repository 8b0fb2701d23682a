"""The examples that AWS documents, as botocore brings them: asked of a whole cloud, answered alike.

`CANNOT_HOLD` has those that cannot be, each with the reason. Nothing of the examples is kept here.
"""

import functools

import botocore.session
import pytest
from tests.parity.alike import alike, lacking
from tests.parity.cannot_hold import CANNOT_HOLD
from tests.parity.preparations import prepare
from tests.parity.preparations_identity import CALLERS

from cloudstead.app.operations import snake_case
from cloudstead.app.tables import built_operations


@functools.cache
def _examples(service):
    session = botocore.session.get_session()
    version = session.get_service_model(service).api_version
    found = session.get_component("data_loader").load_service_model(service, "examples-1", version)
    return [
        (service, operation, example)
        for operation, examples in found["examples"].items()
        if operation in built_operations(service)
        for example in examples
    ]


EXAMPLES = [each for service in ("ec2", "iam", "sts") for each in _examples(service)]
_HOLD = [each for each in EXAMPLES if each[2]["id"] not in CANNOT_HOLD]


@pytest.mark.parametrize(
    ("service", "operation", "example"), _HOLD, ids=[f"{each[1]}-{each[2]['id']}" for each in _HOLD]
)
def test_the_answer_is_as_documented(account, service, operation, example):
    asked = prepare(account, operation, example["id"], example.get("input", {}))
    caller = CALLERS.get(example["id"], lambda _: None)(account)
    answered = getattr(account.client(service, caller), snake_case(operation))(**asked)
    differences = lacking(alike(example.get("output") or {}), alike(answered))
    assert not differences, "\n".join(differences)


def test_what_cannot_hold_is_an_example_of_something_built():
    assert CANNOT_HOLD.keys() <= {each[2]["id"] for each in EXAMPLES}


def test_most_examples_hold():
    assert len(_HOLD) > 0.8 * len(EXAMPLES)
