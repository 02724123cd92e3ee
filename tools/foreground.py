"""Runs a command as the only foreground program of its terminal: ``python -m tools.foreground command…``.

Under ``make`` a Ctrl-C would reach ``make`` as well, which then fails however cleanly the command ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main(command: list[str]) -> None:
    """Become ``command``. Without a terminal nothing is changed."""
    with contextlib.suppress(OSError):
        if os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp():
            os.setpgid(0, 0)
            # One who is not in the foreground is stopped for asking to be.
            before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            os.tcsetpgrp(0, os.getpgrp())
            signal.signal(signal.SIGTTOU, before)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
