"""What a node asks of its worker process, and the limits that both keep. It knows no job: those are ``worker/``."""

from __future__ import annotations

from typing import Any

Values = dict[str, Any]
"""What a job is given and answers: JSON."""
