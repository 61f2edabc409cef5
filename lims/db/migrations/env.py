"""Run by Alembic for every command; lims.db.migrate hands over the connection and the metadata."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("target_metadata"),
    compare_server_default=True,
    # A failing script leaves those before it applied, and one may step out of its transaction to
    # build an index beside a working laboratory (op.get_context().autocommit_block()).
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
