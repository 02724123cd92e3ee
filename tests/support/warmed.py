"""What is read before the first server is forked (see `tests.support.warm`)."""

from importlib import import_module

from poc_server.ground.collector import collector_resting

with collector_resting():
    # … and what each server reads when it is there already.
    for name in (
        "poc_server.cli",
        "poc_server.demo.run",
        "aiosqlite",
        "alembic.command",
        "anyio._backends._asyncio",
        "pypinyin",
        "uvicorn.protocols.http.h11_impl",
    ):
        import_module(name)
