"""Prints the OpenAPI description: ``python -m poc_server.api [--demo]``. What a server asks for; see `description`."""

from __future__ import annotations

import json
import sys

from poc_server.api import routed
from poc_server.api.site import operations
from poc_server.ground.metrics import Metrics

app = routed(demo="--demo" in sys.argv[1:])
app.include_router(operations(Metrics(), lambda: None))
sys.stdout.write(json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")))
