"""What the gateway asks about buckets, answered by S3's own rules: `gateway.buckets.Buckets`."""

from collections.abc import Mapping

from cloudstead.services.s3 import buckets, cors, website
from cloudstead.services.s3.errors import NoSuchWebsiteConfiguration
from cloudstead.services.s3.rows import Bucket, Settings
from cloudstead.services.s3.website import Redirect
from cloudstead.store import Store


class Buckets:
    def __init__(self, store: Store) -> None:
        self._store = store

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
