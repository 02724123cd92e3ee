"""Logs stay half a year at least (网络安全法 §21), whatever an operator writes into the configuration."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from poc_server.store.settings import RetentionSettings


@pytest.mark.parametrize("name", ["audit_days", "burst_days"])
def test_logs_stay_180_days_at_least_and_a_year_by_default(name: str) -> None:
    assert getattr(RetentionSettings(), name) == 365
    assert getattr(RetentionSettings.model_validate({name: 180}), name) == 180
    with pytest.raises(ValidationError):
        RetentionSettings.model_validate({name: 179})
