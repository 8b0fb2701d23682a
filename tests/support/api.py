"""A service's operations as a client meets them: botocore writes the request and reads the answer, our wire between.

Nothing is signed; who calls is given. What the service refuses arrives as `Refusal`, with what stood on the wire.
"""

import asyncio
import functools
import inspect

import botocore.session
from botocore.paginate import Paginator
from tests.compat.wire_oracle import received, sent

from cloudstead.app.operations import operations_of, snake_case
from cloudstead.core.caller import Caller
from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire import load, parse, serialize, serialize_error

ACCOUNT = "123456789012"
ROOT = Caller(account=ACCOUNT, region="us-east-1", arn=f"arn:aws:iam::{ACCOUNT}:root", user_id=ACCOUNT)

_session = botocore.session.Session()


class Refusal(Exception):
    def __init__(self, code, message, status):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Api:
    """One service. Call an operation as boto3 would: `api.create_user(UserName="ann")`."""

    def __init__(self, service, *parts, caller=ROOT):
        self._service = service
        self._caller = caller
        self._model = _session.get_service_model(service)
        self._names = {snake_case(name): name for name in load(service).operation_names}
        self._operations = operations_of(dict.fromkeys(load(service).operation_names), *parts)

    def by(self, caller):
        """The same, called by somebody else."""
        other = object.__new__(Api)
        other.__dict__.update(self.__dict__, _caller=caller)
        return other

    def __getattr__(self, name):
        if name.startswith("_") or name not in self._names:
            raise AttributeError(name)
        return functools.partial(self._call, self._names[name])

    def every(self, name, **params):
        """The pages of botocore's paginator of this operation."""
        operation = self._names[name]
        shape = self._model.operation_model(operation)
        config = _session.get_paginator_model(self._service).get_paginator(operation)
        paginator = Paginator(getattr(self, name), config, shape)
        return list(paginator.paginate(**params))

    def paginated(self):
        """The operations that are built and that botocore has a paginator for."""
        config = _session.get_paginator_model(self._service)._paginator_config
        return [
            name for name, operation in self._names.items() if operation in config.keys() & self._operations
        ]

    def _call(self, operation, **params):
        shapes, protocol = self._model.operation_model(operation), self._model.protocol
        request = sent(shapes, params, protocol)
        match = load(self._service).match(request)
        try:
            answer = self._operations[operation](self._caller, parse(match, request))
            if inspect.isawaitable(answer):
                answer = asyncio.run(answer)
            response = serialize(match, answer or {}, "id")
        except ServiceError as e:
            response = serialize_error(match, e, "id")
        parsed = received(response, shapes.output_shape, protocol)
        if "Error" in parsed and response.status >= 300:
            raise Refusal(parsed["Error"]["Code"], parsed["Error"]["Message"], response.status)
        parsed.pop("ResponseMetadata")
        return parsed


def refusal(call, **params):
    """The (code, message) that an operation refuses with."""
    try:
        call(**params)
    except Refusal as e:
        return e.code, e.message
    raise AssertionError("it was not refused")
