"""SQL as both databases understand it: engine, migration and backup, statements and locks that repositories share."""
