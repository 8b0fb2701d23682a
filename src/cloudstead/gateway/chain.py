"""The whole path of a request, step by step: read `Gateway.STEPS` first.

Each step looks at the exchange and either adds to it, answers, or raises. A ServiceError raised anywhere is
said in the protocol that the request speaks; anything else is ours to mend: it is logged with the request id,
and the caller learns no more than that id.

Nearly all is answered at once, without a task. Only what S3 reads from disk or network while it answers is
awaited: a step that needs time returns an awaitable of the response, and no step comes after it.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from urllib.parse import quote

from cloudstead.core import ids
from cloudstead.core.caller import Authorizer, Credentials
from cloudstead.core.errors import NotBuilt, ServiceError
from cloudstead.core.streams import Outgoing
from cloudstead.core.tools import Tools
from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.gateway import cors, logged, s3_edge, s3_form, website, wire
from cloudstead.gateway.authentication import Authentication
from cloudstead.gateway.begun import Begun
from cloudstead.gateway.buckets import Buckets
from cloudstead.gateway.chunked import decoded
from cloudstead.gateway.exchange import Exchange, Operations, Response, Result
from cloudstead.gateway.failing import failed
from cloudstead.gateway.incoming import DOCUMENT_BYTES_MAX, check_length_told, chunks_of, incoming, whole
from cloudstead.gateway.internal import Internal
from cloudstead.gateway.quick import Quick
from cloudstead.gateway.refusals import Refused
from cloudstead.gateway.route import route
from cloudstead.gateway.settings import Settings
from cloudstead.gateway.sigv4 import STREAMING
from cloudstead.gateway.website import Website


class Gateway:
    """Answers AWS API requests. Call `handle` for each; it never raises."""

    def __init__(
        self,
        operations: Operations,
        credentials: Credentials,
        authorizer: Authorizer,
        *,
        settings: Settings | None = None,
        tools: Tools | None = None,
        internal: Internal | None = None,
        buckets: Buckets | None = None,
    ) -> None:
        self._operations = operations
        self._authorizer = authorizer
        self._settings = settings or Settings()
        self._tools = tools or Tools()
        self._internal = internal or Internal()
        self._buckets = buckets
        self._cors = cors.Policy(self._settings)
        self._authentication = Authentication(credentials, self._tools.clock, self._settings)
        self._quick = self._quick_way()
        self.steps: tuple[Callable[[Exchange], Response | None], ...] = (
            self._check_origin,
            self._answer_internal,
            self._route,
            self._match,
            self._authenticate,
            self._find_operation,
            self._receive,
            self._parse,
            self._authorize,
            self._dispatch,
        )

    def _quick_way(self) -> Quick | None:
        """Where signatures are verified: in `open` mode there is nothing that must be proven."""
        if self._buckets is None or self._settings.auth == "open" or "s3" not in self._operations:
            return None
        verifier = self._authentication.verifier
        return Quick(self._operations, verifier, self._authorizer, self._buckets, tools=self._tools)

    def handle(self, request: HttpRequest) -> Response:
        taken = None
        if self._quick is not None:
            with contextlib.suppress(Exception):  # it has done nothing yet, and the chain will meet the same
                taken = self._quick.take(request)
        if taken is None:
            return self._handle(request)
        return taken if isinstance(taken, HttpResponse) else self._handle_quick(request, taken)

    async def _handle_quick(
        self, request: HttpRequest, taken: Awaitable[HttpResponse | None]
    ) -> HttpResponse:
        try:
            response: Response | None = await taken
        except Exception as e:  # noqa: BLE001 - `failed` logs it
            exchange = Exchange(request, s3_edge.request_id(ids.uuid(self._tools.random)))
            exchange.route = route(request, None, self._settings.default_region)
            exchange.dialect = wire.load("s3").dialect(exchange.route.wire)
            return failed(exchange, e)
        if response is None:
            response = self._handle(request)
        return response if isinstance(response, HttpResponse) else await response

    def _handle(self, request: HttpRequest) -> Response:
        exchange = Exchange(request, ids.uuid(self._tools.random), stream=request.stream)
        try:
            response = self._walk(exchange, 0)
        except Exception as e:  # noqa: BLE001 - `failed` says it or logs it
            response = failed(exchange, e)
        if not isinstance(response, HttpResponse):
            return self._handle_later(exchange, response)
        return self._told(exchange, response)

    async def _handle_later(self, exchange: Exchange, awaited: Awaitable[HttpResponse]) -> HttpResponse:
        try:
            response = await awaited
        except Exception as e:  # noqa: BLE001 - `failed` says it or logs it
            response = failed(exchange, e)
        return self._told(exchange, response)

    def _told(self, exchange: Exchange, response: HttpResponse) -> HttpResponse:
        """The response with what pages must know of it, once it stands in the bucket's log."""
        if "origin" in exchange.http.headers:
            self._expose(exchange, response)
        if self._buckets is not None and hasattr(exchange, "caller") and exchange.route.service == "s3":
            bucket = exchange.route.bucket
            if bucket and self._buckets.is_logged(bucket):
                logged.log(self._buckets, bucket, exchange, response, self._tools.clock)
        return response

    def _walk(self, exchange: Exchange, at: int) -> Response:
        for step in self.steps[at:]:
            response = step(exchange)
            if response is not None:
                return response
        raise AssertionError("the last step answers")

    async def _walk_on_with_whole(
        self, exchange: Exchange, chunks: AsyncIterator[bytes], after: Callable[[Exchange], Response | None]
    ) -> HttpResponse:
        """Read what is no content but a document, then take the steps behind this one."""
        body = await whole(chunks, DOCUMENT_BYTES_MAX)
        exchange.stream = None
        exchange.http.body = exchange.route.wire.body = body
        if hasattr(exchange, "match"):
            exchange.match.body = body
        response = self._walk(exchange, self.steps.index(after) + 1)
        return response if isinstance(response, HttpResponse) else await response

    # -- the steps, in their order

    def _check_origin(self, exchange: Exchange) -> HttpResponse | None:
        if "origin" not in exchange.http.headers:
            return None
        refused = self._cors.check(exchange.http)
        if refused is None and cors.is_preflight(exchange.http) and not self._is_of_bucket(exchange.http):
            return self._cors.preflight(exchange.http)
        return refused

    def _is_of_bucket(self, request: HttpRequest) -> bool:
        """Whether a preflight is for a bucket's rules: nobody signs it, so what it names must be one."""
        if self._buckets is None or request.path.startswith(Internal.PREFIX):
            return False
        try:
            found = route(request, None, self._settings.default_region)
        except ServiceError:
            return False
        named = bool(found.host.bucket) or found.host.service == "s3"
        return found.service == "s3" and found.bucket != "" and (named or self._buckets.exists(found.bucket))

    def _answer_internal(self, exchange: Exchange) -> HttpResponse | None:
        if not exchange.http.path.startswith(Internal.PREFIX):
            return None
        return self._internal.answer(exchange.http)

    def _route(self, exchange: Exchange) -> Response | None:
        try:
            exchange.claim = self._authentication.claim(exchange.http)
        except Refused:
            self._find_route(exchange)  # a guess, to refuse it in a fitting protocol
            exchange.dialect = wire.load(exchange.route.service).dialect(exchange.route.wire)
            raise
        self._find_route(exchange)
        if exchange.route.service == "s3":
            self._check_path(exchange)
            if exchange.route.host.website and self._buckets is not None:
                return self._website(exchange, self._buckets).answer(exchange.http)
            if exchange.http.method == "OPTIONS" and self._buckets is not None:
                return self._preflight(exchange, self._buckets)
            if exchange.claim is not None and exchange.claim.presigned:
                wired = exchange.route.wire
                wired.headers = s3_edge.with_hoisted(wired.headers, wired.query)
            if exchange.claim is None and s3_form.is_upload(exchange.http):
                return self._answer_form(exchange)
        elif exchange.stream is not None:
            return self._walk_on_with_whole(exchange, exchange.stream, self._route)
        return None

    def _find_route(self, exchange: Exchange) -> None:
        exchange.route = route(exchange.http, exchange.claim, self._settings.default_region)
        if exchange.route.service == "s3":
            exchange.request_id = s3_edge.request_id(exchange.request_id)

    def _check_path(self, exchange: Exchange) -> None:
        wired = exchange.route.wire
        try:
            s3_edge.check_path(wired.path)
        except ServiceError:
            exchange.dialect = wire.load("s3").dialect(wired)
            raise

    def _match(self, exchange: Exchange) -> None:
        """Before the signature is checked, as at AWS: an unknown action is called so even unsigned."""
        if exchange.route.service not in self._operations:
            self._prove(exchange, "")  # no stranger makes us load the models of services that are not built
        model = wire.load(exchange.route.service)
        dialect = exchange.dialect = model.dialect(exchange.route.wire)
        exchange.match = model.match(exchange.route.wire, dialect)

    def _authenticate(self, exchange: Exchange) -> None:
        self._prove(exchange, exchange.match.operation.name)
        self._identify(exchange)

    def _identify(self, exchange: Exchange) -> None:
        exchange.caller = self._authentication.caller(
            exchange.http, exchange.claim, exchange.proof, exchange.route.region, exchange.request_id
        )

    def _prove(self, exchange: Exchange, operation: str) -> None:
        if exchange.proof is None:
            exchange.proof = self._authentication.prove(
                exchange.http,
                exchange.claim,
                exchange.route.service,
                operation,
                path=exchange.route.wire.path,
                body_follows=exchange.stream is not None,
            )

    def _preflight(self, exchange: Exchange, buckets: Buckets) -> HttpResponse:
        wired = exchange.route.wire
        exchange.dialect = wire.load("s3").dialect(wired)
        of_object = wired.path.count("/") > 1
        headers = buckets.preflight(exchange.route.bucket, exchange.http.headers, of_object=of_object)
        return HttpResponse(200, [("x-amz-request-id", exchange.request_id), *headers.items()])

    def _expose(self, exchange: Exchange, response: HttpResponse) -> None:
        """Let the page read the answer, if it may."""
        found = getattr(exchange, "route", None)
        if self._buckets is None or found is None or found.service != "s3" or not found.bucket:
            self._cors.expose(exchange.http, response)
        elif exchange.http.method != "OPTIONS":
            headers = exchange.http.headers
            method = headers.get("access-control-request-method", exchange.http.method)
            told = self._buckets.cors_headers(found.bucket, headers["origin"], method)
            response.headers += told.items()

    def _website(self, exchange: Exchange, buckets: Buckets) -> Website:
        bucket, http = exchange.route.host.bucket, exchange.http

        async def read(method: str, key: str, conditional: bool) -> HttpResponse:
            kept = website.PASSED_ON if conditional else website.ALWAYS_PASSED_ON
            headers = {name: value for name, value in http.headers.items() if name in kept}
            path = f"/{quote(bucket)}/{quote(key)}"
            inner = Exchange(HttpRequest(method, path, "", headers, peer=http.peer), exchange.request_id)
            inner.route = replace(exchange.route, wire=wire.WireRequest(method, path, "", headers))
            response = self._walk(inner, self.steps.index(self._match))
            return response if isinstance(response, HttpResponse) else await response

        return Website(bucket, buckets, read, exchange.request_id)

    async def _answer_form(self, exchange: Exchange) -> HttpResponse:
        """A browser's upload: who calls and what is asked stand in the body, which becomes a PutObject."""
        model = wire.load("s3")
        exchange.dialect = model.dialect(exchange.route.wire)
        upload = s3_form.Upload(exchange.http, exchange.route.wire.path, chunks_of(exchange.http))
        try:
            await upload.read_fields()
            signature = upload.signature()
            if signature is not None:
                exchange.claim, exchange.proof = signature.claim, self._authentication.prove_form(signature)
                exchange.route.region = signature.claim.region or exchange.route.region
            await upload.read_file(self._tools.clock.now())
            exchange.route.wire, exchange.content = upload.as_put(), upload.content
            exchange.match = model.match(exchange.route.wire)
            self._identify(exchange)
            self._find_operation(exchange)
            response = self._walk(exchange, self.steps.index(self._parse))
            return upload.answer(response if isinstance(response, HttpResponse) else await response)
        finally:
            upload.spool.close()

    def _find_operation(self, exchange: Exchange) -> None:
        service, name = exchange.route.service, exchange.match.operation.name
        found = self._operations.get(service, {}).get(name)
        if found is None:
            raise NotBuilt(f"The operation {service}:{name} is not built in Cloudstead yet.")
        exchange.operation = found

    def _receive(self, exchange: Exchange) -> Response | None:
        """S3's own transfer coding undone: what the operation gets is the content, its trailers among the headers."""
        if exchange.route.service != "s3":
            return None
        if exchange.stream is not None:
            return self._receive_stream(exchange)
        if exchange.match.operation.content_member is not None:
            check_length_told(exchange.http.headers)
        payload = exchange.http.headers.get("x-amz-content-sha256", "")
        if payload.startswith(STREAMING):
            plain = decoded(exchange.route.wire, payload, exchange.proof)
            exchange.route.wire, exchange.match.body = plain, plain.body
        return None

    def _receive_stream(self, exchange: Exchange) -> Response | None:
        content, exchange.route.wire.headers = incoming(
            exchange.http, exchange.route.wire.headers, exchange.proof
        )
        if exchange.match.operation.content_member is None:
            return self._walk_on_with_whole(exchange, content, self._receive)
        exchange.content = content
        return None

    def _parse(self, exchange: Exchange) -> None:
        exchange.request = wire.parse(exchange.match, exchange.route.wire)
        if exchange.route.service == "s3":
            s3_edge.check_overrides(exchange.request, signed=exchange.claim is not None)
            exchange.request["_Http"] = s3_edge.facts(exchange.http, exchange.claim, self._tools.clock.now())
        if exchange.content is not None:
            exchange.request[exchange.match.operation.content_member or ""] = exchange.content

    def _authorize(self, exchange: Exchange) -> None:
        self._authorizer.authorize(
            exchange.caller, exchange.route.service, exchange.match.operation.name, exchange.request
        )
        dry_run = exchange.route.service == "ec2" and exchange.request.get("DryRun") is True
        if dry_run and not getattr(exchange.operation, "handles_dry_run", False):
            text = "Request would have succeeded, but DryRun flag is set."
            raise ServiceError(text, code="DryRunOperation", status=412)

    def _dispatch(self, exchange: Exchange) -> Response:
        result = exchange.operation(exchange.caller, exchange.request)
        if result is None or isinstance(result, Mapping):
            return self._answered(exchange, result)
        begun = Begun(result)
        return self._answered(exchange, begun.value) if begun.done else self._dispatch_later(exchange, begun)

    async def _dispatch_later(self, exchange: Exchange, begun: Begun[Result]) -> HttpResponse:
        return self._answered(exchange, await begun)

    def _answered(self, exchange: Exchange, result: Result) -> HttpResponse:
        answer = wire.serialize(exchange.match, result, exchange.request_id)
        if isinstance(answer.body, Outgoing):
            return _streamed(answer, answer.body)
        return HttpResponse(answer.status, answer.headers, answer.body)


def _streamed(answer: wire.WireResponse, body: Outgoing) -> HttpResponse:
    if not any(name.lower() == "content-length" for name, _ in answer.headers):
        answer.headers.append(("content-length", str(body.length)))
    return HttpResponse(answer.status, answer.headers, stream=body.chunks)
