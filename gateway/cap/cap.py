"""Common Alerting Protocol 1.2 (OASIS): read with the rules of its schema, and written. No entity is ever expanded.

Only what the schema allows is taken: unknown elements, elements out of order, times without a numeric offset are
refused. A signature (XML-DSig) may stand there and is not looked at: who sends proves himself to the API.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, get_origin
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeTree
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from groups.vocabulary import Refusal
from signaling.messages import Refused

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
MAX_CAP_BYTES = 200_000
"""Largest message taken."""
MAX_POLYGONS = 20
"""Polygons and circles of one message, together."""

DEEPEST = 4
"""alert, info, area, geocode: the schema goes no deeper."""

Status = Literal["Actual", "Exercise", "System", "Test", "Draft"]
MessageType = Literal["Alert", "Update", "Cancel", "Ack", "Error"]
Scope = Literal["Public", "Restricted", "Private"]
Category = Literal[
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"
]
ResponseType = Literal["Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"]
Urgency = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
Severity = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
Certainty = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_PAIR = re.compile(r"-?\d{1,9}(\.\d+)?,-?\d{1,9}(\.\d+)?")
"""Not so many digits that a float has no number for them."""


def moment(text: str) -> datetime:
    """A time of CAP. Raises ValueError."""
    return datetime.fromisoformat(text)


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("not a time with a numeric offset")
    moment(text)
    return text


def _pairs(text: str) -> str:
    pairs = text.split()
    if len(pairs) < 4 or pairs[0] != pairs[-1] or not all(_PAIR.fullmatch(pair) for pair in pairs):
        raise ValueError("not a closed ring of four or more pairs")
    return text


def _circle(text: str) -> str:
    parts = text.split()
    if len(parts) != 2 or not _PAIR.fullmatch(parts[0]) or not 0 <= float(parts[1]) <= 1_000:
        raise ValueError("not a point and a radius in km")
    return text


Name = Annotated[str, StringConstraints(pattern=r"^[^\s,<&]+$", max_length=200)]
Text = Annotated[str, StringConstraints(max_length=10_000)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Time = Annotated[str, AfterValidator(_time)]
Ring = Annotated[str, StringConstraints(max_length=50_000), AfterValidator(_pairs)]
Circle = Annotated[str, AfterValidator(_circle)]


class _Part(BaseModel):
    """One element; its fields stand in the order of the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Part):
    """eventCode, parameter, geocode."""

    valueName: Line  # noqa: N815 - the schema's own name
    value: Text


class Resource(_Part):
    """A file that belongs to it: known, not fetched."""

    resourceDesc: Line  # noqa: N815
    mimeType: Line  # noqa: N815
    size: Annotated[int, Field(ge=0)] | None = None
    uri: Line | None = None
    derefUri: Text | None = None  # noqa: N815
    digest: Line | None = None


class CapArea(_Part):
    """Where. Points are latitude,longitude in WGS-84; radii in km."""

    areaDesc: Line  # noqa: N815
    polygon: tuple[Ring, ...] = ()
    circle: tuple[Circle, ...] = ()
    geocode: tuple[Value, ...] = ()
    altitude: float | None = None
    ceiling: float | None = None


class CapInfo(_Part):
    """What."""

    language: Line | None = None
    category: Annotated[tuple[Category, ...], Field(min_length=1)]
    event: Line
    responseType: tuple[ResponseType, ...] = ()  # noqa: N815
    urgency: Urgency
    severity: Severity
    certainty: Certainty
    audience: Text | None = None
    eventCode: tuple[Value, ...] = ()  # noqa: N815
    effective: Time | None = None
    onset: Time | None = None
    expires: Time | None = None
    senderName: Line | None = None  # noqa: N815
    headline: Text | None = None
    description: Text | None = None
    instruction: Text | None = None
    web: Line | None = None
    contact: Text | None = None
    parameter: tuple[Value, ...] = ()
    resource: tuple[Resource, ...] = ()
    area: tuple[CapArea, ...] = ()


class CapAlert(_Part):
    """One message."""

    identifier: Name
    sender: Name
    sent: Time
    status: Status
    msgType: MessageType  # noqa: N815
    source: Line | None = None
    scope: Scope
    restriction: Text | None = None
    addresses: Text | None = None
    code: tuple[Text, ...] = ()
    note: Text | None = None
    references: Text | None = None
    incidents: Text | None = None
    info: tuple[CapInfo, ...] = ()


PARTS: dict[str, type[_Part]] = {
    "info": CapInfo,
    "area": CapArea,
    "resource": Resource,
    "eventCode": Value,
    "parameter": Value,
    "geocode": Value,
}


def read(text: bytes) -> CapAlert:
    """One CAP 1.2 message. Raises `Refused` (bad_message, too_large) and nothing else, whatever the input."""
    if len(text) > MAX_CAP_BYTES:
        raise Refused(Refusal.TOO_LARGE)
    try:
        root = SafeTree.fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
        if root.tag != f"{{{NAMESPACE}}}alert":
            raise Refused(Refusal.BAD_MESSAGE)
        found = CapAlert.model_validate(_plain(root, CapAlert, depth=0))
    except (DefusedXmlException, SafeTree.ParseError, ValidationError, ValueError, RecursionError, LookupError):
        raise Refused(Refusal.BAD_MESSAGE) from None
    if found.msgType in ("Update", "Cancel") and not references(found):
        raise Refused(Refusal.BAD_MESSAGE)
    if found.msgType in ("Alert", "Update") and not found.info:
        raise Refused(Refusal.BAD_MESSAGE)
    if found.scope == "Private" and not found.addresses:
        raise Refused(Refusal.BAD_MESSAGE)
    return found


def write(alert: CapAlert) -> bytes:
    """The message as XML."""
    root = Element("alert", xmlns=NAMESPACE)
    _write(root, alert)
    text: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def references(alert: CapAlert) -> list[tuple[str, str, str]]:
    """(sender, identifier, sent) of the messages this one updates or cancels; what is malformed is left out."""
    found = []
    for each in (alert.references or "").split():
        parts = each.split(",")
        if len(parts) == 3:
            found.append((parts[0], parts[1], parts[2]))
    return found


def _plain(element: Element, model: type[_Part], depth: int) -> dict[str, Any]:
    if depth > DEEPEST:
        raise ValueError("too deep")
    order = list(model.model_fields)
    many = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is tuple}
    plain: dict[str, Any] = {}
    last = 0
    for child in element:
        if str(child.tag).startswith(SIGNATURE) and model is CapAlert:
            continue
        namespace, _, name = str(child.tag).rpartition("}")
        if namespace != f"{{{NAMESPACE}":
            raise ValueError("an element of another namespace")
        at = order.index(name)  # ValueError: no such element
        if at < last or (name in plain and name not in many):
            raise ValueError("out of order, or twice")
        last = at
        value: Any = _plain(child, PARTS[name], depth + 1) if name in PARTS else _text(child)
        if name in many:
            plain.setdefault(name, []).append(value)
        else:
            plain[name] = value
    return plain


def _text(element: Element) -> str:
    if len(element):
        raise ValueError("an element where text is due")
    return (element.text or "").strip()


def _write(parent: Element, part: _Part) -> None:
    for name in type(part).model_fields:
        value = getattr(part, name)
        for each in value if isinstance(value, tuple) else (value,):
            if each is None:
                continue
            child = SubElement(parent, name)
            if isinstance(each, _Part):
                _write(child, each)
            else:
                child.text = str(each)
