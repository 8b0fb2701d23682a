"""SSM's operations on parameters, and what other services may ask of the Parameter Store."""

from cloudstead.core.caller import Caller
from cloudstead.core.tools import Tools
from cloudstead.services.ssm.directory import Directory, PublicParameters
from cloudstead.services.ssm.errors import ParameterNotFound, ParameterVersionNotFound
from cloudstead.services.ssm.labels import Labels
from cloudstead.services.ssm.listing import Listing
from cloudstead.services.ssm.reading import Reading
from cloudstead.services.ssm.sealing import Seal
from cloudstead.services.ssm.tags import Tags
from cloudstead.services.ssm.writing import Writing
from cloudstead.store import Store

__all__ = ["PublicParameters", "parts", "read_parameter"]


def parts(store: Store, tools: Tools, key: bytes, public_parameters: PublicParameters) -> list[object]:
    """The classes whose public methods are SSM's operations. `key`: 32 bytes that SecureStrings are sealed with."""
    directory = Directory(store, tools, Seal(key), public_parameters)
    return [Writing(directory), Reading(directory), Listing(directory), Labels(directory), Tags(directory)]


def read_parameter(
    store: Store,
    key: bytes,
    public_parameters: PublicParameters,
    caller: Caller,
    name: str,
    *,
    tools: Tools | None = None,
) -> str | None:
    """The value in clear of a parameter that the caller may read; None if there is none of this name and version."""
    directory = Directory(store, tools or Tools(), Seal(key), public_parameters)
    try:
        with store.reading():
            found = directory.read(caller, name)
    except (ParameterNotFound, ParameterVersionNotFound):
        return None
    return directory.value(found, decrypted=True)
