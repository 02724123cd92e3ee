"""With which tier a CAP message is told: a table that an operator may set; the first rule that fits decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.cap.cap import CapAlert, CapInfo, Category, Certainty, Line, Name, Severity, Urgency
from groups.vocabulary import Tier

MAX_RULES = 100
"""Rules of one table."""
MAX_WORDS = 100
"""Words one condition of a rule may name."""

Tell = Literal["emergency", "imminent_peril", "normal", "nobody"]
TIERS: dict[Tell, Tier] = {
    "emergency": Tier.EMERGENCY,
    "imminent_peril": Tier.IMMINENT_PERIL,
    "normal": Tier.NORMAL,
    "nobody": Tier.NORMAL,
}


class CapRule(BaseModel):
    """What is told of a message that meets all conditions; a condition that names nothing is met by everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sender: Annotated[tuple[Name, ...], Field(max_length=MAX_WORDS)] = ()
    """``sender`` of the message is one of these."""
    event: Annotated[tuple[Line, ...], Field(max_length=MAX_WORDS)] = ()
    """``event`` is one of these, letter for letter."""
    category: Annotated[tuple[Category, ...], Field(max_length=MAX_WORDS)] = ()
    """One of its categories is one of these."""
    urgency: Annotated[tuple[Urgency, ...], Field(max_length=MAX_WORDS)] = ()
    severity: Annotated[tuple[Severity, ...], Field(max_length=MAX_WORDS)] = ()
    certainty: Annotated[tuple[Certainty, ...], Field(max_length=MAX_WORDS)] = ()
    tell: Tell
    """The tier it is told with, or nobody is told."""
    acknowledge: bool = False
    """Each recipient is to confirm it."""

    def fits(self, alert: CapAlert, info: CapInfo) -> bool:
        """Whether all conditions are met."""
        return (
            _among(self.sender, alert.sender)
            and _among(self.event, info.event)
            and (not self.category or not set(self.category).isdisjoint(info.category))
            and _among(self.urgency, info.urgency)
            and _among(self.severity, info.severity)
            and _among(self.certainty, info.certainty)
        )


DEFAULT_RULES = (
    CapRule(
        urgency=("Immediate",),
        severity=("Extreme",),
        certainty=("Observed", "Likely"),
        tell="emergency",
        acknowledge=True,
    ),
    CapRule(urgency=("Immediate",), severity=("Severe",), certainty=("Observed", "Likely"), tell="imminent_peril"),
)
_OTHERWISE = CapRule(tell="normal")


def rule_for(alert: CapAlert, info: CapInfo, rules: Sequence[CapRule]) -> CapRule:
    """The first rule that fits; a message that none fits is told with the normal tier."""
    return next((rule for rule in rules if rule.fits(alert, info)), _OTHERWISE)


def _among(wanted: tuple[str, ...], found: str) -> bool:
    return not wanted or found in wanted
