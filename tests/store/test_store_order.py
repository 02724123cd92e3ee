"""The migrations stand in one line."""

from __future__ import annotations

import warnings

from alembic.script import ScriptDirectory

from poc_server.store.sql.migrate import config


def test_migrations_stand_in_one_line_each_with_its_own_number() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # alembic only warns of a number that is there twice
        scripts = ScriptDirectory.from_config(config())
        line = [script.revision for script in scripts.walk_revisions()]
    assert scripts.get_heads() == [line[0]]
    assert sorted(line, reverse=True) == line
