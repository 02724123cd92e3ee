"""What somebody did or tried, as a record of the audit that need not wait for SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groups.model import User
from groups.policy import Act
from groups.vocabulary import Refusal
from poc_server.store import audit
from poc_server.store.audit import Actor
from poc_server.store.journal.kinds import AuditRecord


def act_record(
    user: User,
    at_ms: int,
    act: Act,
    kind: str,
    target: str,
    detail: Mapping[str, Any],
    refused: Refusal | None = None,
) -> AuditRecord:
    """``refused``: why it was not done; the action is then named ``<act>.refused``."""
    action = act.value if refused is None else f"{act.value}.refused"
    said = dict(detail) if refused is None else {**detail, "refused": refused.value}
    return AuditRecord.of(audit.entry(Actor(user.id, user.agency), at_ms, action, kind, target, said))
