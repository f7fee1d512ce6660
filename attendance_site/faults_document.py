"""Name the faults of every operation in the API's document, so that none surprises.

A fault is `{code, detail, …}` wherever it comes from (`attendance_site/errors.py`), so
what an operation may answer follows from what it takes: a body, a row id, a photo.
"""

from collections.abc import Iterator
from typing import Any, Final

Operation = dict[str, Any]

RETRY_AFTER: Final = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 0},
    }
}
FAULT: Final = {
    "type": "object",
    "description": "A fault; `code` is stable, `detail` a sentence in English.",
    "properties": {
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "With 400: the faults of each field.",
            "additionalProperties": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/FieldFault"},
            },
        },
    },
    "required": ["code", "detail"],
}
FIELD_FAULT: Final = {
    "type": "object",
    "properties": {"code": {"type": "string"}, "detail": {"type": "string"}},
    "required": ["code", "detail"],
}
WORDS: Final = {
    "400": "Something in the request is not right; `errors` names the fields.",
    "401": "No login, or one that has ended.",
    "403": "The user's role does not allow it.",
    "404": "There is no such object, or none that the user may see.",
    "409": "The rules refuse it; `code` says which.",
    "411": "The body came without a Content-Length.",
    "413": "The body or a photo is too large.",
    "415": "The body is of another type.",
    "422": "The photo does not do; `code` says why.",
    "429": "Too many calls.",
    "503": "Too much to do at this moment, or the database does not answer.",
}
WAITING: Final = ("429", "503")
TIME_OF_DAY: Final = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"


def with_faults(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to each operation the faults it may answer with (a hook of Spectacular)."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas |= {"Fault": FAULT, "FieldFault": FIELD_FAULT}
    for item in result.get("paths", {}).values():
        for method, operation in item.items():
            for status in faults_of(method, operation):
                operation["responses"].setdefault(status, answer(status))
    return result


def with_local_times(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Describe a time of day as it is: by the school's clock, without an offset.

    OpenAPI's `time` is one of RFC 3339, which names its distance from UTC.
    """
    for part in parts(result):
        if part.get("format") == "time" and part.get("type") == "string":
            del part["format"]
            part["pattern"] = TIME_OF_DAY
            part.setdefault("example", "08:00:00")
    return result


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a document."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, (dict, list)):
            yield from parts(part)


def faults_of(method: str, operation: Operation) -> set[str]:
    """Return the statuses of an operation's faults."""
    found = {"400", "503"}  # a page or a filter that can't be read, at least
    body = operation.get("requestBody")
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    if {} not in operation.get("security", [{}]):
        found |= {"401", "403"}
    elif body:
        found |= {"401", "429"}  # the tokens' own calls
    if places or body:
        found.add("404")
    if method != "get":
        found.add("409")
    if body:
        found |= {"411", "413", "415"}
    if body and "multipart/form-data" in body.get("content", {}):
        found |= {"422", "429"}
    return found


def answer(status: str) -> Operation:
    reference = {"$ref": "#/components/schemas/Fault"}
    told: Operation = {
        "description": WORDS[status],
        "content": {"application/json": {"schema": reference}},
    }
    if status in WAITING:
        told["headers"] = RETRY_AFTER
    return told
