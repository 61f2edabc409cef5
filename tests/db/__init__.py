"""The embedded server, the engine, ids and migrations, on a real PostgreSQL."""
