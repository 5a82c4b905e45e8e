"""Which company a lead speaks of."""

from sqlalchemy import Select, select

from crm.contacts.models import Company


def companies_called(name: str) -> Select[Company]:
    """Companies of exactly this name, the oldest first."""
    return select(Company).where(Company.name == name).order_by(Company.created_at, Company.id)
