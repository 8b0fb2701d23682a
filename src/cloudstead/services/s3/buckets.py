"""Finding a bucket, and opening it for a request: it exists, the caller came to the right region and may do this.

A cloud here has one address for all regions, so what tells the region is the signature or a host name that has one in
it. As on AWS a signature for another region is answered with the right one, and clients sign anew.
"""

import re
from collections.abc import Mapping
from typing import Any

from cloudstead.core.caller import Caller
from cloudstead.core.streams import HttpFacts
from cloudstead.services.s3 import access
from cloudstead.services.s3.errors import (
    AccessDenied,
    AuthorizationHeaderMalformed,
    AuthorizationQueryParametersError,
    InvalidBucketOwnerAWSAccountID,
    PermanentRedirect,
    S3Error,
    no_such_bucket,
)
from cloudstead.services.s3.rows import Acl, Bucket
from cloudstead.store import Store

_ACCOUNT = re.compile(r"\d{12}")
_REGION_IN_HOST = re.compile(r"(?:^|\.)s3[.-](?!website)([a-z]{2,}(?:-[a-z]+)+-\d{1,2})\.")


def find(store: Store, name: str) -> Bucket:
    """The bucket of this name, whosever it is; raises NoSuchBucket."""
    found = store.get(Bucket, name)
    if found is None:
        raise no_such_bucket(name)
    return found


def opened(
    store: Store,
    caller: Caller,
    request: Mapping[str, Any],
    action: str,
    key: str = "",
    *,
    acl: Acl | None = None,
    tags: Mapping[str, str] | None = None,
) -> Bucket:
    """The bucket that a request names, once everything but the operation itself is found good.

    `acl` and `tags` are those of an object that exists.
    """
    bucket = find_for(store, caller, request)
    access.check(store, caller, bucket, action, key, request=request, acl=acl, tags=tags)
    return bucket


def find_for(store: Store, caller: Caller, request: Mapping[str, Any]) -> Bucket:
    """The bucket that a request names, found by the right region and owner; who may do what is yet to be asked."""
    bucket = find(store, request["Bucket"])
    check_region(caller, bucket, request)
    check_owner(bucket, request.get("ExpectedBucketOwner"))
    return bucket


def check_owner(bucket: Bucket, expected: str | None) -> None:
    if expected is None:
        return
    if not _ACCOUNT.fullmatch(expected):
        raise InvalidBucketOwnerAWSAccountID
    if expected != bucket.account:
        raise AccessDenied


def check_region(caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Raise if the host name or the signature is for a region that is not the bucket's."""
    host = caller.endpoint.partition("://")[2]
    named = _REGION_IN_HOST.search(host)
    if named is not None and named[1] != bucket.region:
        endpoint = host[: named.start(1)] + bucket.region + host[named.end(1) :]
        raise PermanentRedirect(
            fields={"Endpoint": endpoint, "Bucket": bucket.name}, headers=region_header(bucket)
        )
    if caller.access_key_id and caller.region != bucket.region:
        raise _signed_for_another(caller, bucket, request)


def _signed_for_another(caller: Caller, bucket: Bucket, request: Mapping[str, Any]) -> S3Error:
    http = request.get("_Http")
    presigned = isinstance(http, HttpFacts) and http.presigned
    kind = AuthorizationQueryParametersError if presigned else AuthorizationHeaderMalformed
    return kind(
        f"{kind.text}; the region '{caller.region}' is wrong; expecting '{bucket.region}'",
        fields={"Region": bucket.region},
        headers=region_header(bucket),
    )


def region_header(bucket: Bucket) -> dict[str, str]:
    return {"x-amz-bucket-region": bucket.region}
