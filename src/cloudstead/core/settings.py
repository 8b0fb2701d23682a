"""Every setting there is, in one place: its name, type, default and help text.

The command line, the environment, the file and docs/configuration.md are all made from the fields of `Settings`.
Reading the file is the command line's business; here is only what counts more than what:
flag, then environment, then file, then default.
"""

import builtins
import contextlib
import ipaddress
import pathlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

PREFIX = "CLOUDSTEAD_"
#: Environment names with our prefix that are no settings: where the file is, what the person typed, the tests' own.
NOT_SETTINGS = re.compile(r"CLOUDSTEAD_(CONFIG|COMMAND|TEST_\w+)")

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_PROFILE = re.compile(r"[A-Za-z0-9._-]+")
_MASTER = re.compile(r"([A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})")
_COLLECTION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REPLICATION = re.compile(r"[0-2]{3}")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class SettingsError(Exception):
    """A setting that is not known, or has a value it cannot have. The text is for the person who set it."""


@dataclass(frozen=True)
class About:
    """What people are told of a setting, and the bounds of a number."""

    help: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    data: Annotated[
        Path, About("The one folder that holds all state. Default: `cloudstead` in your data folder.")
    ]
    images: Annotated[Path | None, About("Where images are kept. Default: `images` in the data folder.")] = (
        None
    )
    host: Annotated[str, About("The address the endpoint listens on. Instances reach it in any case.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, About("The port of the endpoint, HTTP and HTTPS alike.", 1, 65535)] = 4566
    workers: Annotated[
        int, About("How many processes answer API requests; 0 is one for each core.", 0, 64)
    ] = 0
    region: Annotated[str, About("The region of requests that name none, and of the AWS profile.")] = (
        "us-east-1"
    )
    profile: Annotated[str, About("The name of the AWS profile that `up` writes.")] = "cloudstead"
    auth: Annotated[
        Literal["on", "open"],
        About(
            "`on` verifies every signature. `open` takes any key; a key id of 12 digits is then the account's id."
        ),
    ] = "on"
    machines: Annotated[
        Literal["auto", "oci", "docker", "fake", "none"],
        About(
            "What runs instances: `oci` (runc, as root), `docker` (a Docker engine), `fake` (simulated only), `none`. "
            "`auto` takes `oci` as root, else `docker` if there is one, else `none`."
        ),
    ] = "auto"
    public_pool: Annotated[str, About("The IPv4 range that public and elastic addresses come from.")] = (
        "198.18.0.0/15"
    )
    open_ssh: Annotated[
        bool,
        About(
            "Whether the default security group of each default VPC has a rule that lets ssh in from this machine. "
            "AWS's has none."
        ),
    ] = True
    egress: Annotated[
        bool, About("Whether instances reach the internet through this machine, where AWS lets them.")
    ] = True
    dns_host: Annotated[str, About("The address the name server listens on.")] = "127.0.0.1"
    dns_port: Annotated[
        int, About("The port of the name server, UDP and TCP; 0 switches it off.", 0, 65535)
    ] = 5300
    dns_upstream: Annotated[
        str,
        About(
            "Who is asked for names that are not ours, inside instances: addresses with commas between, "
            "`host` for this machine's own resolvers, `none` for nobody."
        ),
    ] = "host"
    registry_dns: Annotated[
        str,
        About(
            "Where the local registry's root server and its TLD server listen, on `dns_port`: two addresses with a "
            "comma between, as 127.0.53.1,127.0.53.2. Empty: nowhere."
        ),
    ] = ""
    rdap_port: Annotated[
        int, About("The port of the registry's RDAP server; 0 switches it off.", 0, 65535)
    ] = 0
    whois_port: Annotated[
        int, About("The port of the registry's WHOIS server; 0 switches it off.", 0, 65535)
    ] = 0
    bucket_defaults: Annotated[
        Literal["today", "before-2023"],
        About(
            "What new S3 buckets begin with: `today` as AWS has it, without ACLs and closed to the public; "
            "`before-2023` with ACLs and open to whomever they let in, as until April 2023."
        ),
    ] = "today"
    object_bytes: Annotated[
        Literal["here", "seaweedfs"],
        About(
            "Where the bytes of new S3 objects lie: `here`, in the data folder, or on the volume servers of the SeaweedFS "
            "cluster that `seaweedfs_masters` names. Keys and metadata lie here in any case."
        ),
    ] = "here"
    seaweedfs_masters: Annotated[
        str, About("The masters of the SeaweedFS cluster: HOST:PORT, with commas between.")
    ] = ""
    seaweedfs_collection: Annotated[
        str, About("The collection in which the volumes with our objects are; one for each cloud.")
    ] = "cloudstead"
    seaweedfs_replication: Annotated[
        str,
        About("How many more copies on other data centers, racks and servers: `010` is one on another rack."),
    ] = "010"
    seaweedfs_timeout_s: Annotated[
        float,
        About("How many seconds a SeaweedFS server has for an answer, before another is asked.", 0.1, 60),
    ] = 5.0
    allow_reset: Annotated[
        bool, About("Whether `POST /_cloudstead/reset` forgets every resource; for tests.")
    ] = False
    stop_grace_s: Annotated[
        float, About("How many seconds requests under way get to finish when the cloud stops.", 0, 600)
    ] = 10.0
    log_level: Annotated[Literal["debug", "info", "warning", "error"], About("How much the log says.")] = (
        "info"
    )

    @property
    def masters(self) -> tuple[str, ...]:
        """Of the SeaweedFS cluster."""
        return tuple(one.strip() for one in self.seaweedfs_masters.split(",") if one.strip())

    @property
    def endpoint(self) -> str:
        """The endpoint as a client on this machine writes it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - told apart, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@dataclass(frozen=True)
class Setting:
    """One field of Settings, as the command line and the docs need it."""

    name: str
    type: type
    default: Any
    about: About
    choices: tuple[str, ...]

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    def parse(self, given: object, source: str) -> Any:
        """The value, of this setting's type, from what a flag or a variable (text) or a file (typed) says."""
        try:
            value = _convert(self.type, given)
        except ValueError as e:
            raise SettingsError(f"{source}: {given!r} is not {e}") from None
        if self.choices and value not in self.choices:
            raise SettingsError(f"{source}: {given!r} is none of {', '.join(self.choices)}")
        least, most = self.about.least, self.about.most
        if least is not None and most is not None and not least <= value <= most:
            raise SettingsError(f"{source}: {given!r} is not between {least:g} and {most:g}")
        return value


def known() -> Sequence[Setting]:
    """Every setting, in the order it is documented."""
    hints = get_type_hints(Settings, include_extras=True)
    found = []
    for one in fields(Settings):
        kind, about = get_args(hints[one.name])
        type, choices = _plain(kind)
        default = None if one.default is MISSING else one.default
        found.append(Setting(one.name, type, default, about, choices))
    return found


def load(
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    file: Mapping[str, object],
    *,
    file_name: str = "cloudstead.toml",
    data: Path,
) -> Settings:
    """The settings in force. `data` is the default of the data folder; a flag that is None was not given.

    Raises SettingsError for a name nobody knows and for a value that cannot be.
    """
    by_name = {setting.name: setting for setting in known()}
    _refuse_unknown(by_name, environment, file, file_name)
    values: dict[str, Any] = {"data": data}
    sources: dict[str, str] = {}
    for name, setting in by_name.items():
        if flags.get(name) is not None:
            given, sources[name] = flags[name], setting.flag
        elif environment.get(setting.variable):
            given, sources[name] = environment[setting.variable], setting.variable
        elif name in file:
            given, sources[name] = file[name], f"{file_name}: {name}"
        else:
            continue
        values[name] = setting.parse(given, sources[name])
    settings = Settings(**values)
    _check(settings, sources)
    return settings


def _refuse_unknown(
    by_name: Mapping[str, Setting], environment: Mapping[str, str], file: Mapping[str, object], file_name: str
) -> None:
    variables = {setting.variable for setting in by_name.values()}
    for name in environment:
        if name.startswith(PREFIX) and name not in variables and not NOT_SETTINGS.fullmatch(name):
            raise SettingsError(f"{name} is set in the environment, but there is no such setting")
    for name in file:
        if name not in by_name:
            raise SettingsError(f"{file_name}: there is no setting {name!r}")


def _check(settings: Settings, sources: Mapping[str, str]) -> None:
    """Refuse values of the right type that cannot be meant. `sources` says where each was set."""
    for name in ("host", "dns_host"):
        _address(sources.get(name, name), getattr(settings, name))
    if not _REGION.fullmatch(settings.region):
        raise SettingsError(
            f"{sources['region']}: {settings.region!r} is not the name of a region, as us-east-1 is"
        )
    if not _PROFILE.fullmatch(settings.profile):
        raise SettingsError(
            f"{sources['profile']}: {settings.profile!r} has other characters than letters, digits and . _ -"
        )
    if settings.dns_upstream not in ("host", "none"):
        for one in settings.dns_upstream.split(","):
            _address(sources["dns_upstream"], one.strip())
    _check_seaweedfs(settings, sources)
    if settings.registry_dns:
        _check_registry(settings.registry_dns, sources["registry_dns"])
    try:
        pool = ipaddress.IPv4Network(settings.public_pool)
    except ValueError:
        raise SettingsError(
            f"{sources['public_pool']}: {settings.public_pool!r} is not an IPv4 range, as 198.18.0.0/15 is"
        ) from None
    if not 8 <= pool.prefixlen <= 19:
        raise SettingsError(f"{sources['public_pool']}: {settings.public_pool!r} is not between /8 and /19")


def _check_seaweedfs(settings: Settings, sources: Mapping[str, str]) -> None:
    for master in settings.masters:
        found = _MASTER.fullmatch(master)
        if found is None or not 0 < int(found[2]) < 65536:
            raise SettingsError(
                f"{sources['seaweedfs_masters']}: {master!r} is not HOST:PORT, as 10.0.0.1:9333 is"
            )
    if settings.object_bytes == "seaweedfs" and not settings.masters:
        raise SettingsError(
            f"{sources['object_bytes']}: 'seaweedfs' needs a master; name it in seaweedfs_masters"
        )
    if not _COLLECTION.fullmatch(settings.seaweedfs_collection):
        raise SettingsError(
            f"{sources['seaweedfs_collection']}: {settings.seaweedfs_collection!r} has other characters than letters, digits, _ -"
        )
    if not _REPLICATION.fullmatch(settings.seaweedfs_replication):
        raise SettingsError(
            f"{sources['seaweedfs_replication']}: {settings.seaweedfs_replication!r} is not three digits from 0 to 2, as 010 is"
        )


def _check_registry(text: str, source: str) -> None:
    addresses = [one.strip() for one in text.split(",")]
    for one in addresses:
        _address(source, one)
    if len(set(addresses)) != 2:
        raise SettingsError(f"{source}: {text!r} is not two different addresses")


def _address(source: str, text: str) -> None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        raise SettingsError(f"{source}: {text!r} is not an IP address") from None


def _plain(hint: Any) -> tuple[type, tuple[str, ...]]:
    """The type to convert to, and the choices if the values are listed."""
    if get_origin(hint) is Literal:
        return str, get_args(hint)
    if NoneType in get_args(hint):
        return next(one for one in get_args(hint) if one is not NoneType), ()
    return hint, ()


def _convert(kind: type, given: object) -> Any:
    """Raises ValueError, whose text completes "… is not"."""
    match kind, given:
        case builtins.bool, bool():
            return given
        case builtins.bool, str() if given.lower() in _TRUE + _FALSE:
            return given.lower() in _TRUE
        case pathlib.Path, str() | Path():
            return Path(given).expanduser().absolute()
        case builtins.str, str():
            return given
        case ((builtins.int | builtins.float), (str() | int() | float())) if not isinstance(given, bool):
            with contextlib.suppress(ValueError):
                return int(str(given)) if kind is int else float(given)
    raise ValueError(_A[kind])


_A: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}
