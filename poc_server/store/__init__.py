"""What outlives the process: SQL tables, migrations, repositories, the journal, the in-memory directory."""
