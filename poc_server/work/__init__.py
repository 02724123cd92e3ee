"""What a node asks of its worker process, and the limits that both keep. It knows no job: those are ``worker/``."""

from __future__ import annotations

from typing import Any, Protocol

Values = dict[str, Any]
"""What a job is given and answers: JSON."""


class WorkerPort(Protocol):
    """Who asks for a job needs no more of the worker (`poc_server.work.client`)."""

    async def run(self, job: str, **values: Any) -> Values:
        """Have a job done. Raises `JobFailed` or `WorkerDied`."""
