"""What tags a resource may have."""

from collections.abc import Iterable, Mapping

from cloudstead.services.route53resolver.errors import InvalidTagException, LimitExceededException

_TAGS_MAX = 200


def added(tags: Mapping[str, str], more: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """These tags and more; a value takes the place of an earlier one."""
    more = list(more)
    names = [tag["Key"] for tag in more]
    if any(name.lower().startswith("aws:") for name in names):
        raise InvalidTagException("Tag keys beginning with aws: are reserved for system use.")
    if len(set(names)) < len(names):
        raise InvalidTagException("Duplicate tag keys are not allowed.")
    result = {**tags, **{tag["Key"]: tag["Value"] for tag in more}}
    if len(result) > _TAGS_MAX:
        raise LimitExceededException(f"A resource cannot have more than {_TAGS_MAX} tags.")
    return result
