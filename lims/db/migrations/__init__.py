"""What Alembic runs: env.py, the template of a script, and the numbered scripts."""
