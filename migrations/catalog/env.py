"""Alembic finds the revisions of the catalog line here; the program's own runner carries them out."""
