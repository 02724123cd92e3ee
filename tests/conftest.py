"""What all tests may use."""

import gc
import os

from hypothesis import settings

pytest_plugins = [
    "tests.fixtures.databases",
    "tests.fixtures.people",
    "tests.fixtures.bridge",
    "tests.fixtures.desk",
    "tests.fixtures.workers",
]

# Time is no verdict on a machine that does other work too; and what CI tries is the same from run to run.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Until all is imported, which all stays: looking through it was a quarter of that time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
