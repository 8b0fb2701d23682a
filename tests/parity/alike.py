"""What two answers of AWS to the same question differ in by right: ids, times, addresses, who asked and where.

A documented answer is older than AWS's answer of today, which has more members: what is documented must be there, with
its value; what is there besides is botocore's parser's business, which drops what it does not know.
"""

import datetime as dt
import re

_ALIKE = (
    (re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$"), "<time>"),
    (re.compile(r"\b\d{12}\b"), "<account>"),
    (re.compile(r"\b(?:[a-z]+-)+[0-9a-f]{7,17}\b"), "<id>"),
    (re.compile(r"^A[A-Z0-9]{11,}(?=$|:)"), "<id>"),
    (re.compile(r"\b[a-z]{2}-[a-z]+-\d[a-f]\b"), "<zone>"),
    (re.compile(r"(?<![\d.])\d+(?:\.\d+){3}(?![\d./])"), "<address>"),
    (re.compile(r"\b\d+(?:-\d+){3}\b"), "<address>"),
    (re.compile(r"^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$"), "<mac>"),
    (re.compile(r"^(?:[0-9a-f]{2}:){19}[0-9a-f]{2}$"), "<fingerprint>"),
    (re.compile(r"^/dev/(?:sda1|xvda)$"), "<root device>"),
)
#: Members whose values are anybody's, policies too: botocore decodes them.
_OPAQUE = ("SecretAccessKey", "SessionToken", "Output", "AssumeRolePolicyDocument", "PackedPolicySize")


def alike(value, name=""):
    """The value with everything that differs by right made the same."""
    if name in _OPAQUE:
        return f"<{name}>"
    if isinstance(value, dict):
        return {key: alike(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [alike(item) for item in value]
    if isinstance(value, dt.datetime):
        return "<time>"
    if not isinstance(value, str):
        return value
    if value in ("true", "false"):
        return value == "true"
    for pattern, same in _ALIKE:
        value = pattern.sub(same, value)
    return value


def lacking(documented, answered, where="answer"):
    """What the answer lacks of the documented one, a line each. Lists are sets: AWS promises no order unless it says so."""
    if isinstance(documented, dict) and isinstance(answered, dict):
        lines = [f"{where}.{name} is absent" for name in documented if name not in answered]
        for name in documented.keys() & answered.keys():
            lines += lacking(documented[name], answered[name], f"{where}.{name}")
        return lines
    if isinstance(documented, list) and isinstance(answered, list):
        return _unmatched(documented, answered, where)
    return [] if documented == answered else [f"{where} is {answered!r}, documented {documented!r}"]


def _unmatched(documented, answered, where):
    lines, left = [], list(answered)
    for number, item in enumerate(documented):
        found = [lacking(item, other, f"{where}[{number}]") for other in left]
        best = min(range(len(found)), key=lambda one: len(found[one]), default=None)
        if best is None:
            lines.append(f"{where} has {len(answered)} elements, documented {len(documented)}")
            break
        lines += found[best]
        del left[best]
    if left:
        lines.append(f"{where} has {len(answered)} elements, documented {len(documented)}")
    return lines
