"""What an operator may set about waking phones."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gateway.waking.templated import HttpNotifier


class NotifySettings(BaseModel):
    """Web Push and templated HTTP notifiers; docs/waking.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    web_push: bool = True
    """Whether browsers may subscribe to Web Push."""
    vapid_key: Path | None = None
    """PEM of the P-256 key toward push services; None: made in the folder of keys at the first start."""
    contact: str = Field(default="mailto:poc@example.invalid", pattern=r"^(mailto:|https://)")
    """Who answers for this server: push services write there when something is wrong with what it sends."""
    push_hosts: tuple[str, ...] = (
        "fcm.googleapis.com",
        "push.services.mozilla.com",
        "push.apple.com",
        "notify.windows.com",
    )
    """Push services that are sent to, with their subdomains; "http://host:port" takes one without TLS."""
    ttl_s: int = Field(default=3_600, ge=0, le=2_419_200)
    """A push service keeps a message so long for a phone that is off."""
    retries: int = Field(default=4, ge=0, le=20)
    """How often an attempt that failed for the moment is made again."""
    retry_s: float = Field(default=2.0, gt=0, le=600)
    """Before the first of them; each further one waits twice as long."""
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    """An attempt may take so long."""
    at_once: int = Field(default=20, ge=1, le=500)
    """Attempts under way at the same time, for each urgency: SOS, urgent, routine."""
    waiting_limit: int = Field(default=50_000, ge=1)
    """Most people who may wait to be woken, for each urgency; further ones are counted as dropped."""
    subscriptions: int = Field(default=10, ge=1, le=100)
    """Browsers one person may subscribe; the oldest goes when one more comes."""
    language: str = Field(default="zh-CN", pattern=r"^(zh-CN|en)$")
    """Of what HTTP notifiers say; a browser says its own."""
    http: tuple[HttpNotifier, ...] = ()
    """Templated HTTP notifiers."""
