"""Contacts that nobody asked the API for: entered by statements, inside a transaction at hand or in one of their own."""

from uuid import UUID

from crm.contacts.models import Contact
from tenants.access.caller import SYSTEM, act_as
from tenants.catalog.registry import Home
from tenants.isolation.door import db, inside


def add(name: str) -> UUID:
    """Enter one in the transaction at hand; its id."""
    act_as(SYSTEM)
    made = Contact(last_name=name, source="api")
    db().add(made)
    db().flush()
    return made.id


def added(home: Home, name: str) -> UUID:
    """Enter one, committed; its id."""
    with inside(home):
        return add(name)
