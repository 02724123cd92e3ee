"""What an operator may set about calls ends at limits, and one beyond each is refused before the server starts."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from poc_server.talk.settings import TalkSettings

DAY = 86_400


LIMITS = {
    "ring_s": (1, 300),
    "private_hang_s": (1, DAY),
    "private_maximum_s": (10, DAY),
    "temporary_hang_s": (1, DAY),
    "temporary_maximum_s": (10, DAY),
    "remote_listening_s": (10, 3_600),
}


@pytest.mark.parametrize("name", LIMITS)
def test_at_the_limit_and_one_beyond(name: str) -> None:
    least, most = LIMITS[name]
    for value in (least, most):
        assert getattr(TalkSettings.model_validate({name: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValidationError):
            TalkSettings.model_validate({name: value})


def test_every_time_that_may_be_set_is_tried_here() -> None:
    assert LIMITS.keys() == {name for name in TalkSettings.model_fields if name.endswith("_s")}
