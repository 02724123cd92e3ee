"""Recording metadata in the form of SIPREC (RFC 7865), for archives that take it: one session per talk burst."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

from poc_server.recording.xml_text import xml_text

NAMESPACE = "urn:ietf:params:xml:ns:recording:1"
_OURS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:poc-server")


def document(recordings: Iterable[dict[str, Any]]) -> bytes:
    """The XML document of these recordings (items of ``index.json``)."""
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(_name("recording"))
    _text(root, "datamode", "complete")
    links: list[ET.Element] = []
    people: set[str] = set()
    groups: set[str] = set()
    for each in recordings:
        group, person, session, stream = (
            _id("group", each["group"]),
            _id("user", each["talker"] or "system"),
            _id("session", each["id"]),
            _id("stream", each["id"]),
        )
        if group not in groups:
            groups.add(group)
            element = ET.SubElement(root, _name("group"), group_id=group)
            _text(element, "associate-time", _time(each["started_ms"]))
        _session(root, each, session, group)
        if person not in people:
            people.add(person)
            element = ET.SubElement(root, _name("participant"), participant_id=person)
            named = ET.SubElement(element, _name("nameID"), aor=xml_text(f"urn:poc:user:{each['talker'] or 'system'}"))
            _text(named, "name", each["talker_name"])
        element = ET.SubElement(root, _name("stream"), stream_id=stream, session_id=session)
        _text(element, "label", each["file"])
        links += _links(each, person, session, stream)
    root.extend(links)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _session(root: ET.Element, each: dict[str, Any], session: str, group: str) -> None:
    element = ET.SubElement(root, _name("session"), session_id=session)
    _text(element, "sipSessionID", f"{each['group']};{each['burst']}")
    _text(element, "group-ref", group)
    _text(element, "start-time", _time(each["started_ms"]))
    _text(element, "stop-time", _time(each["ended_ms"]))


def _links(each: dict[str, Any], person: str, session: str, stream: str) -> list[ET.Element]:
    with_session = ET.Element(_name("participantsessionassoc"), participant_id=person, session_id=session)
    _text(with_session, "associate-time", _time(each["started_ms"]))
    _text(with_session, "disassociate-time", _time(each["ended_ms"]))
    with_stream = ET.Element(_name("participantstreamassoc"), participant_id=person)
    _text(with_stream, "send", stream)
    return [with_session, with_stream]


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, _name(name)).text = xml_text(text)


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def _id(kind: str, name: str) -> str:
    """A base64 UUID, always the same for the same thing (RFC 7865 §6.11)."""
    return base64.b64encode(uuid.uuid5(_OURS, f"{kind}:{name}").bytes).decode()


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
