"""A bucket served as a website: its own host name, GET and HEAD alone, pages instead of XML.

Everything is read as anybody may read it: a website is public where the bucket's policy makes it so.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote

from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.gateway.buckets import Buckets, Redirect, Visit

#: Answers GET or HEAD of a key as S3 would, with or without the visitor's conditions and range; raises ServiceError.
Read = Callable[[str, str, bool], Awaitable[HttpResponse]]

#: Headers of a visitor that matter to what is read; not the host, which is no endpoint of the API.
ALWAYS_PASSED_ON = frozenset({"referer", "user-agent"})
PASSED_ON = ALWAYS_PASSED_ON | {
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "range",
}
_REDIRECT = "x-amz-website-redirect-location"


@dataclass(frozen=True, slots=True)
class Website:
    bucket: str
    buckets: Buckets
    read: Read
    request_id: str

    async def answer(self, request: HttpRequest) -> HttpResponse:
        try:
            return await self._answer(request)
        except ServiceError as e:
            return self._page(e)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        host = request.headers.get("host", "")
        key = unquote(request.path.removeprefix("/"))
        visit = self.buckets.visit(self.bucket, key, host, request.scheme)
        if request.method not in ("GET", "HEAD"):
            text = "The specified method is not allowed against this resource."
            facts = {"Method": request.method.upper(), "ResourceType": "OBJECT"}
            raise ServiceError(text, code="MethodNotAllowed", status=405, fields=facts)
        away = visit.sent_away()
        if away is not None:
            return _sent_to(away)
        try:
            return _followed(await self.read(request.method, visit.page(), True))
        except ServiceError as e:
            if e.status == 304:
                return HttpResponse(304, list(e.headers.items()))
            return await self._after(e, request.method, visit)

    async def _after(self, error: ServiceError, method: str, visit: Visit) -> HttpResponse:
        folder = visit.as_folder()
        if error.status in (403, 404) and folder is not None and await self._exists(folder):
            return _sent_to(visit.to_folder())
        then = visit.after_error(error.status)
        if then is None:
            raise error
        if not isinstance(then, str):
            return _sent_to(then)
        try:
            document = await self.read(method, then, False)
        except ServiceError:
            raise error from None
        document.status = error.status
        return document

    async def _exists(self, key: str) -> bool:
        try:
            await self.read("HEAD", key, False)
        except ServiceError:
            return False
        return True

    def _page(self, error: ServiceError) -> HttpResponse:
        body = self.buckets.error_page(error.status, error.code, error.message, error.fields, self.request_id)
        headers = [
            ("x-amz-error-code", error.code),
            ("x-amz-error-message", error.message),
            ("x-amz-request-id", self.request_id),
            ("content-type", "text/html; charset=utf-8"),
        ]
        return HttpResponse(error.status, headers, body)


def _sent_to(redirect: Redirect) -> HttpResponse:
    return HttpResponse(redirect.status, [("location", redirect.location)])


def _followed(response: HttpResponse) -> HttpResponse:
    """An object may send its visitors on."""
    target = next((value for name, value in response.headers if name.lower() == _REDIRECT), None)
    return response if target is None else HttpResponse(301, [("location", target)])
