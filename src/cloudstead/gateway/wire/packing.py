"""Request bodies that clients compress: boto3 does so with large PutMetricData calls.

S3 is another matter: there the encoding is the object's own and nothing is unpacked.
"""

import zlib
from dataclasses import replace

from cloudstead.core.errors import ServiceError
from cloudstead.gateway.wire.message import WireRequest

#: A small body can unpack to gigabytes; no API call but S3's is larger than this.
UNPACKED_BYTES_MAX = 32 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


def unpacked(request: WireRequest) -> WireRequest:
    """The request with a plain body. Encodings other than gzip are left to whoever knows them."""
    encodings = [one.strip().lower() for one in request.headers["content-encoding"].split(",")]
    if encodings[-1] != "gzip" or not request.body:
        return request
    unpacker = zlib.decompressobj(_GZIP)
    try:
        body = unpacker.decompress(request.body, UNPACKED_BYTES_MAX)
    except zlib.error as e:
        raise ServiceError("The body is not valid gzip data.", code="SerializationException") from e
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ServiceError("Request size exceeds the limit.", code="RequestEntityTooLarge", status=413)
    return replace(request, body=body)
