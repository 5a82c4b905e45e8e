"""Alembic finds the revisions of the tenant line here; the program's own runner carries them out."""
