"""Engine, sessions, the embedded PostgreSQL and the numbered migrations."""
