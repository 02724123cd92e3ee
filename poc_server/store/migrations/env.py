"""Entry point of alembic: migrates on the connection it is handed, inside that connection's transaction."""

from __future__ import annotations

from alembic import context

from poc_server.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
