"""What the configuration of a health check must have and may not have, by its type, and what AWS fills in."""

from collections.abc import Collection, Mapping
from typing import Any

from cloudstead.core.errors import NotBuilt
from cloudstead.services.route53.errors import InvalidInput

CHILDREN_MAX = 256

_HTTP = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH")
_ENDPOINT = (*_HTTP, "TCP")
_OF_AN_ENDPOINT = (
    "IPAddress",
    "Port",
    "FullyQualifiedDomainName",
    "RequestInterval",
    "FailureThreshold",
    "Regions",
)
#: The types that a member is for.
_ONLY_FOR = {
    **dict.fromkeys(_OF_AN_ENDPOINT, _ENDPOINT),
    "MeasureLatency": _ENDPOINT,
    "ResourcePath": _HTTP,
    "SearchString": ("HTTP_STR_MATCH", "HTTPS_STR_MATCH"),
    "EnableSNI": ("HTTPS", "HTTPS_STR_MATCH"),
    "ChildHealthChecks": ("CALCULATED",),
    "HealthThreshold": ("CALCULATED",),
}
_NOT_BUILT = {
    "CLOUDWATCH_METRIC": "Health checks of CloudWatch alarms are not built: there is no CloudWatch",
    "RECOVERY_CONTROL": "Health checks of routing controls are not built: there is no Application Recovery Controller",
}
#: What UpdateHealthCheck empties by ResetElements.
_EMPTY: dict[str, list[str] | None] = {"ChildHealthChecks": []}


def completed(given: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """A new check's configuration with AWS's defaults. `known` are the checks that can be its children."""
    type = given["Type"]
    _check_built(given)
    config = {**_defaults(type, given), **given}
    check(config, known)
    return config


def updated(config: Mapping[str, Any], request: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The configuration after an update: what it does not name stays."""
    not_config = ("HealthCheckId", "HealthCheckVersion", "ResetElements")
    more = {name: value for name, value in request.items() if name not in not_config}
    result = {**config, **more}
    for name in request.get("ResetElements", ()):
        result.pop(name, None)
        if name in _EMPTY and name in config:
            result[name] = _EMPTY[name]
    _check_built(result)
    check(result, known)
    return result


def check(config: Mapping[str, Any], known: Collection[str]) -> None:
    type = config["Type"]
    for name, types in _ONLY_FOR.items():
        if name in config and type not in types:
            raise InvalidInput(
                f"Invalid parameter : {name} cannot be specified for a health check of type {type}"
            )
    if type in _ENDPOINT:
        _check_endpoint(config)
    elif type == "CALCULATED":
        _check_calculated(config, known)


def _defaults(type: str, given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"Inverted": False, "Disabled": False}
    if type in _ENDPOINT:
        found |= {"RequestInterval": 30, "FailureThreshold": 3, "MeasureLatency": False}
    if type in _HTTP:
        secure = type.startswith("HTTPS")
        found["Port"] = 443 if secure else 80
        if secure:
            found["EnableSNI"] = True
    if type == "CALCULATED" and "HealthThreshold" not in given:
        found["HealthThreshold"] = len(given.get("ChildHealthChecks", ()))
    return found


def _check_endpoint(config: Mapping[str, Any]) -> None:
    type = config["Type"]
    if not config.get("IPAddress") and not config.get("FullyQualifiedDomainName"):
        raise InvalidInput(
            "Invalid parameter : Either IPAddress or FullyQualifiedDomainName must be specified"
        )
    if "Port" not in config:
        raise InvalidInput(f"Invalid parameter : Port must be specified for a health check of type {type}")
    if type.endswith("_STR_MATCH") and not config.get("SearchString"):
        raise InvalidInput(
            f"Invalid parameter : SearchString must be specified for a health check of type {type}"
        )
    if config["RequestInterval"] not in (10, 30):
        raise InvalidInput("Invalid parameter : RequestInterval must be 10 or 30")


def _check_calculated(config: Mapping[str, Any], known: Collection[str]) -> None:
    children = config.get("ChildHealthChecks", ())
    if len(children) > CHILDREN_MAX:
        raise InvalidInput(
            f"Invalid parameter : a health check can have at most {CHILDREN_MAX} ChildHealthChecks"
        )
    for child in children:
        if child not in known:
            raise InvalidInput(
                f"Invalid parameter : the health check {child} in ChildHealthChecks does not exist"
            )


def _check_built(config: Mapping[str, Any]) -> None:
    if config["Type"] in _NOT_BUILT:
        raise NotBuilt(_NOT_BUILT[config["Type"]])
    if config.get("EndpointType") == "PRIVATE" or "HealthCheckSourceId" in config:
        raise NotBuilt("Health checks from inside a VPC are not built")
