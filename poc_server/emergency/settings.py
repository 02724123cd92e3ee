"""What an operator may set about emergencies. Times in ms or s as the name says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from gateway.cap.cap_tiers import DEFAULT_RULES, MAX_RULES, CapRule


class EmergencySettings(BaseModel):
    """SOS, emergency calls, broadcasts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    microphone_ms: int = Field(default=10_000, ge=0, le=60_000)
    """After an SOS the officer's microphone stays open for so long."""
    sos_group: str = ""
    """Id of a group dedicated to SOS, for those who are its members; empty: the group they have selected."""
    hold_ms: int = Field(default=1_500, ge=0, le=10_000)
    """The SOS key must be held so long; 0: a touch is enough."""
    countdown_ms: int = Field(default=0, ge=0, le=30_000)
    """After that the officer may still take it back for so long before anything is sent; 0: it is sent at once."""
    covert: bool = False
    """An SOS gives no sign on the officer's own phone, and only dispatchers learn of it."""
    covert_allowed: bool = True
    """Whether a single SOS may be covert where not all are (asked for by a native shell, say)."""
    centre_phone: str = Field(default="110", max_length=32, pattern=r"^[0-9+*#-]*$")
    """Number that the page offers to call while an SOS is not confirmed; empty: none."""
    escalate_s: int = Field(default=30, ge=1, le=3_600)
    """An alert that is not acknowledged for so long rings everywhere again; a claim without a word is given up."""
    escalations: int = Field(default=10, ge=0, le=100)
    """How often."""
    unattended_s: int = Field(default=20, ge=1, le=3_600)
    """An alert whose dispatcher has no page connected for so long (link lost, signed out, node dead) goes back into the
    queue and rings everywhere again, whatever he told the officer."""
    quiet_s: int = Field(default=120, ge=0, le=86_400)
    """TNG2: a leader's emergency call in which nothing was said for so long ends by itself; 0: never."""
    broadcast_quiet_s: int = Field(default=30, ge=1, le=3_600)
    """A live broadcast whose initiator does not talk (his phone is lost, say) for so long is over."""
    broadcast_limit_s: int = Field(default=300, ge=1, le=3_600)
    """Longest burst of a broadcast (T2)."""
    remind_s: int = Field(default=60, ge=1, le=86_400)
    """Whose phone has not said that it took a broadcast, or who has not acknowledged one that wants it, is told again
    after so long: his page sounds again, and where he has none open a notifier is asked to wake him."""
    reminders: int = Field(default=5, ge=0, le=100)
    """How often."""
    cap_sender: str = Field(default="poc-server", pattern=r"^[^\s,<&]+$", max_length=200)
    """Who sends what leaves here as CAP: best a domain name of one's own."""
    cap_rules: tuple[CapRule, ...] = Field(default=DEFAULT_RULES, max_length=MAX_RULES)
    """With which tier a CAP message is told, docs/cap.md: the first rule that fits; none: normal. At most 100."""
    recipients: int = Field(default=20_000, ge=1)
    """People one call or broadcast may reach; more are refused (too_many)."""
    tally_ms: int = Field(default=250, ge=50, le=5_000)
    """The leader's tally is told at most so often."""
    receipts_ms: int = Field(default=100, ge=10, le=2_000)
    """Receipts are gathered so long, then kept in one transaction; only then are they answered."""
