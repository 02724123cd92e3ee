"""The worker process: ``python -m poc_server.worker``, started by the node, ends when its standard input does.

One JSON object a line: in ``{"id", "job", "values"}``, out ``{"id", "result"}`` or ``{"id", "error"}``. Standard
error is the node's log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO

from poc_server.worker.jobs import JOBS, Lane, failure

NICENESS = 5
"""Voice first: the worker yields to the media process when they share a core."""


class _Answers:
    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._lock = threading.Lock()

    def send(self, answer: dict[str, Any]) -> None:
        line = json.dumps(answer, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            self._out.write(line)
            self._out.flush()


def serve(requests: BinaryIO, out: BinaryIO) -> None:
    """Answer each line of ``requests`` until they end."""
    answers = _Answers(out)
    lanes = {lane: ThreadPoolExecutor(1, thread_name_prefix=lane.value) for lane in Lane}
    for line in requests:
        request = json.loads(line)
        job = JOBS.get(request["job"])
        if job is None:
            answers.send({"id": request["id"], "error": "unknown job"})
        else:
            lanes[job.lane].submit(_do, answers, request)
    for lane in lanes.values():
        lane.shutdown(wait=True, cancel_futures=True)


def _do(answers: _Answers, request: dict[str, Any]) -> None:
    try:
        answer = {"id": request["id"], "result": JOBS[request["job"]].run(request["values"])}
    except Exception as problem:  # whatever a job meets is its caller's to judge; the worker goes on
        answer = {"id": request["id"], **failure(problem)}
    answers.send(answer)


def main() -> None:
    """Serve the node on the other end of the pipes. Libraries that print cannot disturb the answers."""
    os.nice(NICENESS)
    # A Ctrl-C in a terminal reaches every process there: the node ends us, when it has nothing more to ask.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        serve(sys.stdin.buffer, out)
    except BrokenPipeError:
        os._exit(0)  # the node is gone; there is nobody to tell


if __name__ == "__main__":
    main()
