"""What an operator may set about calls."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from signaling.limits import MAX_CALL_HOURS

LONGEST_S = MAX_CALL_HOURS * 3600


class TalkSettings(BaseModel):
    """Calls that begin and end. Those of prearranged and broadcast groups are set for each group."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ring_s: int = Field(default=30, ge=1, le=300)
    """How long a call rings that is answered by hand."""
    private_hang_s: int = Field(default=30, ge=1, le=LONGEST_S)
    """A private call with floor control ends when nobody talked for so long."""
    private_maximum_s: int = Field(default=3_600, ge=10, le=LONGEST_S)
    """The longest a private call lasts."""
    temporary_hang_s: int = Field(default=900, ge=1, le=LONGEST_S)
    """A temporary group (临时组) ends when nobody talked in it for so long."""
    temporary_maximum_s: int = Field(default=14_400, ge=10, le=LONGEST_S)
    """A temporary group ends after so long at the latest, unless its maker gave it another time."""
    remote_listening: bool = False
    """Remote listening (远程激活): a shift leader hears an officer's phone without its doing. Audited each time."""
    remote_listening_s: int = Field(default=300, ge=10, le=3_600)
    """The longest one remote listening lasts."""
