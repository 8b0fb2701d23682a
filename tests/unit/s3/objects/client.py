"""S3 as a client meets it, with bodies that come piece by piece, headers that no shape has, and one event loop.

botocore writes the request and reads the answer; our own wire stands between. Nothing is signed.
"""

import asyncio
import functools
import inspect
from dataclasses import replace

import botocore.session
from tests.compat.wire_oracle import received, sent

from cloudstead.app.operations import operations_of, snake_case
from cloudstead.core.errors import ServiceError
from cloudstead.core.streams import HttpFacts, Outgoing
from cloudstead.gateway.wire import load, parse, serialize, serialize_error

MODEL = botocore.session.Session().get_service_model("s3")
MODEL._shape_resolver._shape_map["Expires"]["type"] = "string"  # as botocore's own handlers do it, too
_NAMES = {snake_case(name): name for name in load("s3").operation_names}


class Refusal(Exception):
    """What S3 refused: the parsed error, its status and its headers."""

    def __init__(self, response, parsed):
        self.error = parsed.get("Error", {})
        self.code, self.message = self.error.get("Code"), self.error.get("Message")
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers}
        self.body = response.body
        super().__init__(f"{self.status} {self.code}: {self.message}")


class Pieces:
    """An upload as the gateway gives it: what has come so far, and trailers at the end, or an error."""

    def __init__(self, *pieces, trailers=None, error=None):
        self._pieces = list(pieces)
        self.length = sum(map(len, pieces))
        self._trailers = trailers or {}
        self._error = error
        self.trailers = {}

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self._pieces:
            await asyncio.sleep(0)
            return self._pieces.pop(0)
        if self._error is not None:
            raise self._error
        self.trailers = self._trailers
        raise StopAsyncIteration


class Client:
    """Call an operation as boto3 would.

    `body` is a stream in the place of Body, `sent_headers` are seen beside the shape's, `spoil` in their place.
    """

    def __init__(self, loop, parts, caller):
        self._loop = loop
        self._operations = operations_of(dict.fromkeys(load("s3").operation_names), *parts)
        self._caller = caller
        self._version = 4
        self.status = None  # of the last answer
        self.headers = {}

    def by(self, caller):
        other = object.__new__(Client)
        other.__dict__.update(self.__dict__, _caller=caller)
        return other

    def signing(self, version):
        """The same, with signatures of another version."""
        other = self.by(self._caller)
        other._version = version
        return other

    def run(self, coroutine):
        return self._loop.run_until_complete(coroutine)

    def together(self, *calls):
        """Several calls at once, each a (name, params); the answers or the refusals, in their order."""

        async def all():
            return await asyncio.gather(
                *[self.acall(name, **params) for name, params in calls], return_exceptions=True
            )

        return self.run(all())

    def __getattr__(self, name):
        if name.startswith("_") or name not in _NAMES:
            raise AttributeError(name)
        return functools.partial(self._call, name)

    def _call(self, name, **params):
        return self.run(self.acall(name, **params))

    async def acall(self, name, *, body=None, sent_headers=None, spoil=None, **params):
        operation = _NAMES[name]
        shapes = MODEL.operation_model(operation)
        request = sent(shapes, params, "rest-xml")
        request.headers = {**request.headers, **(spoil or {})}
        match = load("s3").match(request)
        response = await self._answer(operation, match, request, body, sent_headers or {})
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.headers}
        streamed = shapes.has_streaming_output and response.status < 300
        told = replace(response, body=b"") if streamed else response
        parsed = received(told, shapes.output_shape, "rest-xml")
        if response.status >= 300:
            raise Refusal(response, parsed)
        parsed.pop("ResponseMetadata", None)
        return {**parsed, "Body": response.body} if streamed else parsed

    async def _answer(self, operation, match, request, body, headers):
        try:
            asked = parse(match, request)
            if body is not None:
                asked["Body"] = body
            asked["_Http"] = HttpFacts(
                request.method,
                "localhost",
                {**request.headers, **headers},
                "203.0.113.7",
                False,
                False,
                signature_version=self._version,
            )
            answer = self._operations[operation](self._caller, asked)
            if inspect.isawaitable(answer):
                answer = await answer
            response = serialize(match, answer or {}, "id")
            if isinstance(response.body, Outgoing):
                whole = b"".join([chunk async for chunk in response.body.chunks])
                assert len(whole) == response.body.length
                response.body = whole
        except ServiceError as e:
            response = serialize_error(match, e, "id")
        return response


def refused(call, **params):
    """The refusal that an operation answers with."""
    try:
        call(**params)
    except Refusal as e:
        return e
    raise AssertionError("it was not refused")
