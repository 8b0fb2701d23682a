"""A browser's upload: the form as the PutObject that it stands for, and PutObject's answer as the form wants it."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote, urlencode, urlsplit
from xml.etree.ElementTree import Element

from cloudstead.core.encoded_words import encoded
from cloudstead.core.errors import ServiceError
from cloudstead.dataplane.http import HttpRequest, HttpResponse
from cloudstead.gateway.claim import ALGORITHM, Claim
from cloudstead.gateway.incoming import UPLOAD_BYTES_MAX, WHOLE_BYTES_MAX
from cloudstead.gateway.multipart import Form, is_form
from cloudstead.gateway.post_policy import PostPolicy
from cloudstead.gateway.spool import Spool
from cloudstead.gateway.wire import WireRequest
from cloudstead.gateway.wire.bad import Malformed
from cloudstead.gateway.wire.parse.xml import document
from cloudstead.gateway.wire.serialize.text import xml_text

_PATH = re.compile(r"/([^/]+)/?")
_PASSED_ON = frozenset(
    {
        "cache-control",
        "content-type",
        "content-disposition",
        "content-encoding",
        "content-language",
        "expires",
    }
)
_METADATA = "x-amz-meta-"
_OF_THE_SIGNATURE = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-signature"}
)


def is_upload(request: HttpRequest) -> bool:
    return request.method == "POST" and not request.query and is_form(request.headers.get("content-type", ""))


@dataclass(slots=True)
class Signature:
    """What the form says of who signed its policy: by version 4, or by version 2 as old pages still do."""

    claim: Claim
    policy: str  # as it was sent, which is what was signed
    version: int


class Upload:
    """One form on its way through."""

    def __init__(self, request: HttpRequest, path: str, chunks: AsyncIterator[bytes]) -> None:
        found = _PATH.fullmatch(path)
        if found is None:
            text = "The specified method is not allowed against this resource."
            raise ServiceError(
                text, code="MethodNotAllowed", status=405, fields={"Method": "POST", "ResourceType": "OBJECT"}
            )
        self.bucket = unquote(found[1])
        self.spool = Spool()
        self._request = request
        self._form = Form(request.headers["content-type"], chunks)
        self._fields = self._form.fields

    async def read_fields(self) -> None:
        await self._form.read_fields()
        self._needed("key")
        filename = self._form.filename
        if filename is None:
            text = "POST requires exactly one file upload per request."
            raise ServiceError(
                text, code="InvalidArgument", fields={"ArgumentName": "file", "ArgumentValue": "0"}
            )
        # In every field, and before the policy is asked: its conditions are about what the fields become.
        self._fields = {name: value.replace("${filename}", filename) for name, value in self._fields.items()}

    @property
    def key(self) -> str:
        return self._needed("key")

    def signature(self) -> Signature | None:
        """None if the form has no policy: then it is anybody's."""
        policy = self._fields.get("policy")
        if policy is None:
            return None
        token = self._fields.get("x-amz-security-token")
        if "awsaccesskeyid" in self._fields:
            said = self._needed("Signature")
            return Signature(
                Claim(self._fields["awsaccesskeyid"], "", "", "s3", "", said, "", token), policy, 2
            )
        algorithm, credential = self._needed("X-Amz-Algorithm"), self._needed("X-Amz-Credential")
        signed_at, said = self._needed("X-Amz-Date"), self._needed("X-Amz-Signature")
        scope = credential.split("/")
        if algorithm != ALGORITHM or len(scope) != 5 or scope[3:] != ["s3", "aws4_request"]:
            text = (
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
            )
            raise ServiceError(text, code="InvalidRequest")
        return Signature(Claim(scope[0], scope[1], scope[2], "s3", "", said, signed_at, token), policy, 4)

    def _needed(self, name: str) -> str:
        value = self._fields.get(name.lower())
        if not value:
            raise _field_missing(name)
        return value

    async def read_file(self, now: datetime) -> None:
        """Check the policy, then take the file: what is forbidden is not uploaded."""
        policy = PostPolicy.read(self._fields["policy"]) if "policy" in self._fields else None
        if policy is not None:
            policy.check(self._fields, self.bucket, now)
        most = policy.length_range[1] if policy is not None and policy.length_range else UPLOAD_BYTES_MAX
        async for piece in self._form.file():
            self.spool.add(piece)
            if self.spool.length > min(most, UPLOAD_BYTES_MAX):
                raise _too_large(self.spool.length, min(most, UPLOAD_BYTES_MAX))
        if policy is not None:
            policy.check_length(self.spool.length)
        self.spool.rewind()

    def as_put(self) -> WireRequest:
        """The PutObject that the form stands for; its body is the spool's, if it is too large to stand here."""
        headers = {"content-length": str(self.spool.length)}
        for name in ("host", "origin", "referer", "user-agent"):
            if name in self._request.headers:
                headers[name] = self._request.headers[name]
        for name, value in self._fields.items():
            if name in _PASSED_ON or (name.startswith("x-amz-") and name not in _OF_THE_SIGNATURE):
                headers[name] = encoded(value) if name.startswith(_METADATA) else _header(value)
        if "acl" in self._fields:
            headers["x-amz-acl"] = _header(self._fields["acl"])
        if "tagging" in self._fields:
            headers["x-amz-tagging"] = _tagging(self._fields["tagging"])
        body = self.spool.whole() if self.spool.length <= WHOLE_BYTES_MAX else b""
        return WireRequest("PUT", f"/{quote(self.bucket)}/{quote(self.key)}", "", headers, body)

    @property
    def content(self) -> Spool | None:
        return self.spool if self.spool.length > WHOLE_BYTES_MAX else None

    def answer(self, put: HttpResponse) -> HttpResponse:
        """PutObject's answer, as success_action_redirect and success_action_status want it."""
        headers = [(name, value) for name, value in put.headers if name.lower() != "content-length"]
        etag = next((value for name, value in headers if name.lower() == "etag"), "")
        redirect = self._fields.get("success_action_redirect") or self._fields.get("redirect")
        if redirect and (target := self._redirected(redirect, etag)):
            return HttpResponse(303, [*headers, ("Location", target)])
        location = self._location()
        status = self._fields.get("success_action_status")
        if status == "201":
            headers.append(("Content-Type", "application/xml"))
            return HttpResponse(201, [*headers, ("Location", location)], self._document(location, etag))
        return HttpResponse(200 if status == "200" else 204, [*headers, ("Location", location)])

    def _redirected(self, redirect: str, etag: str) -> str | None:
        try:
            parts = urlsplit(redirect)
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not parts.netloc or not redirect.isascii():
            return None
        query = urlencode({"bucket": self.bucket, "key": self.key, "etag": etag})
        return parts._replace(query=f"{parts.query}&{query}" if parts.query else query).geturl()

    def _location(self) -> str:
        host = self._request.headers.get("host", "")
        within = "" if host.lower().startswith(f"{self.bucket}.") else f"/{self.bucket}"
        return f"{self._request.scheme}://{host}{within}/{quote(self.key)}"

    def _document(self, location: str, etag: str) -> bytes:
        told: Mapping[str, str] = {"Location": location, "Bucket": self.bucket, "Key": self.key, "ETag": etag}
        inside = "".join(f"<{name}>{xml_text(value)}</{name}>" for name, value in told.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inside}</PostResponse>'.encode()


def _header(value: str) -> str:
    """As header values are kept: one character for each byte."""
    return value.encode().decode("latin-1")


def _tagging(told: str) -> str:
    """`<Tagging><TagSet><Tag>…` as the header has it."""
    try:
        root = document(told.encode())
    except Malformed:
        text = "The XML you provided was not well-formed or did not validate against our published schema"
        raise ServiceError(text, code="MalformedXML") from None
    tags = [element for element in root.iter() if element.tag.rpartition("}")[2] == "Tag"]
    return urlencode([(_child(tag, "Key"), _child(tag, "Value")) for tag in tags])


def _child(element: Element, name: str) -> str:
    return next((each.text or "" for each in element if each.tag.rpartition("}")[2] == name), "")


def _field_missing(name: str) -> ServiceError:
    text = f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    return ServiceError(text, code="InvalidArgument", fields={"ArgumentName": name, "ArgumentValue": ""})


def _too_large(length: int, most: int) -> ServiceError:
    return ServiceError(
        "Your proposed upload exceeds the maximum allowed size",
        code="EntityTooLarge",
        fields={"ProposedSize": length, "MaxSizeAllowed": most},
    )
