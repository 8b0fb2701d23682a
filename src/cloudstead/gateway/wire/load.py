"""Service descriptions from botocore's data files, read on first use and kept for the life of the process.

botocore's own Python code is never imported: it costs more memory and start-up time than all of this together.
"""

import gzip
import importlib.util
import re
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from cloudstead.gateway.wire.model import ServiceModel
from cloudstead.gateway.wire.schema import Description, Extras

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")


class UnknownService(KeyError):
    """No description file has this name."""


@cache
def load(service: str) -> ServiceModel:
    """The newest description of a service. Raises UnknownService."""
    return ServiceModel(service, _read(service))


@lru_cache(maxsize=1024)  # names come from requests
def exists(service: str) -> bool:
    """Whether `load` would find it; costs a look into a folder, not a model in memory."""
    try:
        return bool(_newest(service))
    except UnknownService:
        return False


def _read(service: str) -> Description:
    folder = _newest(service)
    packed = folder / "service-2.json.gz"
    text = (
        gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / "service-2.json").read_bytes()
    )
    description = msgspec.json.decode(text, type=Description)
    extras = folder / "service-2.sdk-extras.json"
    if extras.exists():
        description.merge(msgspec.json.decode(extras.read_bytes(), type=Extras).merge)
    _correct(service, description)
    return description


def _correct(service: str, description: Description) -> None:
    """Where AWS does otherwise than its own description says."""
    if service == "s3":
        description.shapes["Expires"].type = "string"  # kept as it was sent, and it need be no date
        for operation in ("PutBucketPolicy", "PutBucketTagging"):
            description.operations[operation].http.response_code = 204
    if service == "s3control":
        description.shapes[
            "S3ResourceArn"
        ].pattern = None  # it leaves out ARNs of buckets, which have no region


def _newest(service: str) -> Path:
    home = _data_home() / service
    # A name from a request must not lead out of the data folder.
    if not re.fullmatch(r"[a-z0-9-]+", service) or not home.is_dir():
        raise UnknownService(service)
    return max(path for path in home.iterdir() if _VERSION.fullmatch(path.name))


@cache
def _data_home() -> Path:
    spec = importlib.util.find_spec("botocore")  # finds a top-level package without running it
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "data"
