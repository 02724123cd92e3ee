"""An event to an HTTP request: CloudEvents signed by Standard Webhooks, or the call a mapping file describes."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from pydantic import JsonValue

from gateway.delivery.events import CONTENT_TYPE, Event, cloud_event
from gateway.delivery.receiver import Receiver
from gateway.mapping.expressions import Surroundings, search
from gateway.mapping.mapping import PLACEHOLDER, BasicAuth, Call, HeaderAuth, HmacAuth, MappingFile, NoAuth, Template
from gateway.webhooks import sign

_ANSWER_BYTES = 65_536
"""How much of an answer is looked at."""


@dataclass(frozen=True, slots=True)
class Materials:
    """What belongs to an event at the moment it is sent. ``recording``: url, expires_ms, duration_ms …; ``audio``: Ogg.

    ``incident`` is the incident as it stands now; ``people``: id → name and badge of those the event names;
    ``photo``: url, expires_ms; ``evidence``: the newest signed head of each of its groups' evidence chains.
    """

    incident: dict[str, JsonValue]
    recording: dict[str, JsonValue] | None = None
    audio: bytes | None = None
    people: dict[str, JsonValue] = field(default_factory=dict)
    photo: dict[str, JsonValue] | None = None
    evidence: list[JsonValue] = field(default_factory=list)


class NotWanted(Exception):
    """The receiver's mapping has no call for this event: it counts as delivered."""


def wants_audio(event: Event, mapping: MappingFile | None) -> bool:
    """Whether sending ``event`` needs the recording's bytes."""
    call = _call(event, mapping)
    return event.recording is not None and call is not None and call.audio is not None


def render(
    receiver: Receiver, mapping: MappingFile | None, event: Event, materials: Materials, source: str, now: int
) -> httpx.Request:
    """The request that tells ``receiver`` of ``event`` at ``now`` (ms). Raises `NotWanted`."""
    if mapping is None or mapping.outbound is None:
        return _webhook(receiver, event, materials, source, now)
    call = _call(event, mapping)
    data = context(event, materials)
    if call is None or (call.when and not search(call.when, data, mapping.surroundings)):
        raise NotWanted
    return _mapped(receiver, mapping, call, data, event, materials, now)


def succeeded(mapping: MappingFile | None, event: Event, status: int, answer: bytes) -> bool:
    """Whether the receiver took it: a 2xx, and what its mapping says of the answer's JSON."""
    if not 200 <= status < 300:
        return False
    call = _call(event, mapping)
    if call is None or call.success is None or mapping is None:
        return True
    try:
        found = httpx.Response(200, content=answer[:_ANSWER_BYTES]).json()
    except (ValueError, RecursionError):
        return False
    return search(call.success, found, mapping.surroundings) is True


def context(event: Event, materials: Materials) -> dict[str, Any]:
    """What expressions of a call read: event, data, incident, recording, people, photo, evidence."""
    told = asdict(event)
    data = told.pop("data")
    return {
        "event": told,
        "data": data,
        "incident": materials.incident,
        "recording": materials.recording,
        "people": materials.people,
        "photo": materials.photo,
        "evidence": materials.evidence,
    }


def fill(template: Template, data: object, surroundings: Surroundings) -> Any:
    """``template`` with every expression replaced by what it finds."""
    if isinstance(template, dict):
        return {name: fill(part, data, surroundings) for name, part in template.items()}
    if isinstance(template, list):
        return [fill(part, data, surroundings) for part in template]
    return search(template, data, surroundings)


def _call(event: Event, mapping: MappingFile | None) -> Call | None:
    if mapping is None or mapping.outbound is None:
        return None
    return next((call for type_, call in mapping.outbound.calls.items() if type_ == event.type), None)


def _webhook(receiver: Receiver, event: Event, materials: Materials, source: str, now: int) -> httpx.Request:
    data: dict[str, JsonValue] = {**event.data, "incident": materials.incident, "people": materials.people}
    if materials.recording is not None:
        data["recording"] = materials.recording
    if materials.photo is not None:
        data["photo"] = materials.photo
    if materials.evidence:
        data["evidence"] = materials.evidence
    body = cloud_event(event, source, data)
    secrets = tuple(secret.get_secret_value() for secret in receiver.secrets)
    signed = sign(secrets, event.id, body, now) if secrets else {}
    return httpx.Request("POST", str(receiver.url), headers={"content-type": CONTENT_TYPE, **signed}, content=body)


def _mapped(
    receiver: Receiver,
    mapping: MappingFile,
    call: Call,
    data: dict[str, Any],
    event: Event,
    materials: Materials,
    now: int,
) -> httpx.Request:
    around = mapping.surroundings
    path = PLACEHOLDER.sub(lambda part: quote(_text(search(part[1], data, around)), safe=""), call.path)
    url = str(receiver.url).rstrip("/") + path
    headers = {"idempotency-key": quote(event.id, safe="/:@")}
    headers |= {name: quote(_text(search(value, data, around)), safe=" /:@") for name, value in call.headers.items()}
    body = fill(call.body, data, around)
    if call.format == "json":
        request = httpx.Request(call.method, url, headers=headers, json=body)
    elif call.format == "form":
        form = urlencode(_flat(body)).encode()
        headers["content-type"] = "application/x-www-form-urlencoded"
        request = httpx.Request(call.method, url, headers=headers, content=form)
    else:
        parts: list[tuple[str, Any]] = [(name, (None, value.encode())) for name, value in _flat(body).items()]
        if call.audio and materials.audio is not None:
            parts.append((call.audio, (f"{event.recording}.ogg", materials.audio, "audio/ogg")))
        request = httpx.Request(call.method, url, headers=headers, files=parts)
    request.read()
    _authenticate(request, mapping.outbound.auth if mapping.outbound else NoAuth(), now)
    return request


def _authenticate(request: httpx.Request, auth: NoAuth | HeaderAuth | BasicAuth | HmacAuth, now: int) -> None:
    match auth:
        case HeaderAuth():
            request.headers[auth.header] = auth.value.get_secret_value()
        case BasicAuth():
            pair = base64.b64encode(f"{auth.name}:{auth.password.get_secret_value()}".encode()).decode()
            request.headers["authorization"] = f"Basic {pair}"
        case HmacAuth():
            timestamp = str(now // 1000)
            before, _, after = auth.signed.replace("{timestamp}", timestamp).partition("{body}")
            signed = before.encode() + request.content + after.encode()
            made = hmac.new(auth.key.get_secret_value().encode(), signed, auth.digest)
            request.headers[auth.timestamp_header] = timestamp
            request.headers[auth.signature_header] = made.hexdigest()
        case NoAuth():
            pass


def _flat(body: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a form: nothing is left out, what is nested becomes JSON."""
    return {name: _text(value) for name, value in body.items() if value is not None}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list):
        return httpx.Request("POST", "http://x/", json=value).content.decode()
    return str(value)
