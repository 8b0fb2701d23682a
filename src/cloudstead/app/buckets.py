"""What the gateway asks about buckets, answered by S3's own rules: `gateway.buckets.Buckets`."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qs

from cloudstead.core.tools import Tools
from cloudstead.gateway.buckets import Served
from cloudstead.gateway.wire.serialize.envelope import host_id
from cloudstead.services.s3 import access_logs, buckets, cors, website
from cloudstead.services.s3.access_log_delivery import Deliveries
from cloudstead.services.s3.errors import NoSuchWebsiteConfiguration
from cloudstead.services.s3.rows import Bucket, Settings
from cloudstead.services.s3.website import Redirect
from cloudstead.store import Store


class Buckets:
    def __init__(self, store: Store, tools: Tools, deliveries: Deliveries) -> None:
        self._store = store
        self._tools = tools
        self._deliveries = deliveries

    def is_logged(self, bucket: str) -> bool:
        found = self._store.get(Bucket, bucket)
        return found is not None and found.logging is not None

    def log(self, bucket: str, served: Served) -> None:
        found = self._store.get(Bucket, bucket)
        if found is not None:
            self._deliveries.note(found, served.caller, self._logged(served))

    def _logged(self, served: Served) -> access_logs.Served:
        signed = served.caller.access_key_id != ""
        query = parse_qs(served.target.partition("?")[2])
        old = served.presigned and "X-Amz-Signature" not in query
        ended_at = self._tools.clock.now()
        came_at = served.came_at or served.answered_at or ended_at
        version, cipher = served.tls or ("", "")
        return access_logs.Served(
            at=came_at,
            operation=access_logs.operation_of(served.operation, served.method, served.key),
            status=served.status,
            request_line=f"{served.method} {served.target} HTTP/1.1",
            key=served.key,
            error_code=served.error_code,
            bytes_sent=served.bytes_sent,
            object_size=access_logs.object_size(
                served.operation, served.status, served.headers, served.answer
            ),
            total_ms=_ms(ended_at - came_at),
            turn_around_ms=None
            if served.streamed or served.answered_at is None
            else _ms(served.answered_at - came_at),
            referer=served.headers.get("referer", ""),
            user_agent=served.headers.get("user-agent", ""),
            version_id=query.get("versionId", [""])[0] or served.answer.get("x-amz-version-id", ""),
            host_id=host_id(served.caller.request_id),
            host=served.headers.get("host", ""),
            signature=("SigV2" if old else "SigV4") if signed else "",
            auth=("QueryString" if served.presigned else "AuthHeader") if signed else "",
            tls=version,
            cipher=cipher,
        )

    def exists(self, bucket: str) -> bool:
        return self._store.get(Bucket, bucket) is not None

    def preflight(self, bucket: str, headers: Mapping[str, str], *, of_object: bool) -> Mapping[str, str]:
        return cors.preflight(self._store.get(Bucket, bucket), headers, of_object=of_object)

    def cors_headers(self, bucket: str, origin: str, method: str) -> Mapping[str, str]:
        found = self._store.get(Bucket, bucket)
        return {} if found is None else cors.headers_for(found, origin, method)

    def visit(self, bucket: str, key: str, host: str, scheme: str) -> "Visit":
        found = buckets.find(self._store, bucket)
        if found.website is None:
            raise NoSuchWebsiteConfiguration(fields={"BucketName": bucket})
        return Visit(found.website, website.Visit(key=key, host=host, scheme=scheme))

    def error_page(
        self, status: int, code: str, message: str, more: Mapping[str, object], request_id: str
    ) -> bytes:
        return website.error_page(status, code, message, more, request_id)


def _ms(took: timedelta) -> int:
    return max(0, round(took.total_seconds() * 1000))


class Visit:
    def __init__(self, settings: Settings, visit: website.Visit) -> None:
        self._website = settings
        self._visit = visit

    def sent_away(self) -> Redirect | None:
        return website.sent_away(self._website, self._visit)

    def page(self) -> str:
        return website.page(self._website, self._visit)

    def as_folder(self) -> str | None:
        return website.as_folder(self._website, self._visit)

    def to_folder(self) -> Redirect:
        return website.to_folder(self._visit)

    def after_error(self, status: int) -> Redirect | str | None:
        return website.after_error(self._website, self._visit, status)
