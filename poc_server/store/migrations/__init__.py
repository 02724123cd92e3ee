"""Changes of the tables, applied in order by `poc_server.store.sql.migrate`."""
