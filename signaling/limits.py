"""Named limits of the wire. Each is documented in docs/protocol.md and tested at the limit and one beyond.

The pages are built with those named ``MAX_…``: what a page offers and what the server takes cannot disagree.
"""

from __future__ import annotations

SUBPROTOCOL = "poc.v1"
MAX_MESSAGE_BYTES = 65_536
"""Largest text message a client may send; a larger one closes the connection with 1009."""
MAX_TOLD_BYTES = 1_048_576
"""Largest text message the server sends: a client that takes no message so long does not hear it."""
MAX_SDP_CHARS = 32_768
MAX_TEXT_CHARS = 2_000
MAX_ID_CHARS = 64
MAX_NAME_CHARS = 128
MAX_PHONE_CHARS = 32
MAX_TOKEN_CHARS = 8_192
MAX_SLOTS = 16
DEFAULT_SLOTS = 2
MAX_GROUPS_LISTENED = 64
MAX_MISSED_TALKERS = 50
"""Talkers that one `Missed` names; the rest only count."""
MAX_RECIPIENTS_PICKED = 1_000
"""Users, groups and units each that one message may name; more are reached by group, unit, area or all."""
MAX_AREA_POINTS = 500
"""Points of an area, the first repeated at the end among them."""
MAX_BROADCAST_HOURS = 168
"""Longest time a broadcast waits for those who are offline."""
MAX_TEXTS_LISTED = 100
"""Written messages one answer carries."""
MAX_THREADS_TOLD = 200
"""Groups and people that one `TextUnread` or `Threads` names; the latest come first."""
MAX_LAST_CHARS = 200
"""Characters of the latest message of a thread where threads are listed; the message itself is in its thread."""
MAX_MONITORED = 500
"""Groups one dispatcher monitors at once."""
MAX_MONITORS_NAMED = 8
"""Visible monitors a group is told of by name."""
MAX_PATCHED = 16
"""Groups one patch joins."""
MAX_HANDED_OVER = 100
"""Open alerts that go over with one shift."""
MAX_CALLS_LISTED = 50
"""Calls one answer to `CallList` carries; the newest come first."""
MAX_CALL_HOURS = 24
"""Longest time a temporary group may be given."""
MAX_CALLED = 500
"""People one call may name."""
MAX_PAGE = 200
"""Items on one page of a list over HTTP."""
MAX_DEAD_LETTERS_LISTED = 1_000
"""Dead letters of a receiver that one answer over HTTP carries."""
MAX_REFUSED_NEWS = 1_000
"""Pieces of news of cases that could not be taken: so many are kept for the operator, and told in one answer."""
MAX_REASON_CHARS = 500
"""Characters of the reason why something is kept or deleted."""
MAX_DAYS_KEPT = 36_500
"""Longest time a rule of retention may give, but for ever."""
HELLO_TIMEOUT_S = 10.0
"""A socket that has not said ``hello`` by then is closed with 4408."""
PING_INTERVAL_S = 10.0
CLIENT_SILENCE_S = 25.0
"""A client that answered no ping for so long is gone."""
SEND_BUFFER_BYTES = 1_048_576
"""A client with more unsent bytes than this is aborted at once."""
FOLLOW_S = (0.015, 0.03)
"""After an answer that a person waits for two empty frames follow, so that its loss on the way is noticed at once."""
SEND_STALL_S = 2.0
"""A client that has read nothing for so long while bytes wait is aborted."""
PASS_ON_S = 0.3
"""A node that has not taken a client in by then is not waited for: the one that was asked serves it itself."""
PASSED_ON_BUFFER_BYTES = 65_536
"""Bytes for a client that another node serves which may wait at the node they pass through."""
MESSAGES_PER_SECOND = 50.0
MESSAGE_BURST = 200
LISTENING_EXPIRES_S = 5.0
RESUME_S = 60.0
"""How long the place of a phone whose socket dropped is kept."""

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_TOO_LARGE = 1009
CLOSE_BAD_TOKEN = 4401
CLOSE_FORBIDDEN = 4403
CLOSE_HELLO_TIMEOUT = 4408
CLOSE_REPLACED = 4409
CLOSE_TOO_FAST = 4429
