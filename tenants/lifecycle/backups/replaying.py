"""Replays the ledger over an installation that came back from a backup: what ended since ends again."""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import delete, select, update

from tenants.audit.ledger import INSTALLATION, Ledger
from tenants.catalog.models import BroughtKey, LookupHash, State, StateChange, Tenant, TenantKey
from tenants.catalog.registry import Catalog, Home, home_of, role_of
from tenants.catalog.states import Mover
from tenants.foundation.clock import now
from tenants.isolation.owner import as_owner, run_all
from tenants.isolation.roles import death
from tenants.isolation.storage import Storage
from tenants.lifecycle.backups.again import Again, Replayed
from tenants.lifecycle.backups.doors import shut_out_staff
from tenants.lifecycle.backups.endings import Endings
from tenants.lifecycle.changing import Owners

REASON = "It was destroyed after the backup was taken: the ledger says so."


@dataclass
class Replaying:
    """Where it is replayed."""

    ledger: Ledger
    catalog: Catalog
    owners: Owners
    storage: Storage

    def replay(self) -> Replayed:
        """Destroy, erase and shut out again whatever the ledger names and is there; run again, it finds nothing left.

        Raises LedgerBroken.
        """
        endings, replayed = Endings(self.ledger), Replayed()
        for home in self._homes():
            if endings.destroyed(home.id):
                self._destroy(home)
                replayed += Replayed(tenants=1)
            elif self._has_schema(home):
                replayed += Again(self.ledger, home).replay(endings.of(home.id))
        with self.catalog.transaction() as session:
            shut_out_staff(session, endings.staff_shut_out(), partial(self.ledger.keyed_record, INSTALLATION))
        return replayed

    def _homes(self) -> list[Home]:
        query = select(Tenant.id, Tenant.cell, Tenant.state).where(Tenant.state != State.DESTROYED)
        with self.catalog.transaction() as session:
            return [home_of(row) for row in session.execute(query.order_by(Tenant.id))]

    def _destroy(self, home: Home) -> None:
        """As when it was destroyed. Its keys are not in the keyring any more, so that they did not come back."""
        with as_owner(self.owners.get(home.cell)) as connection:
            run_all(connection, death(role_of(home.id)))
        files = self.storage.for_tenant(home.id)
        for name in list(files.list()):
            files.delete(name)
        with self.catalog.transaction() as session:
            for model in (LookupHash, BroughtKey):
                session.execute(delete(model).where(model.tenant_id == home.id))
            keys = update(TenantKey).where(TenantKey.tenant_id == home.id, TenantKey.wrapped.is_not(None))
            session.execute(keys.values(wrapped=None, destroyed_at=now()))
            tenant = session.get_one(Tenant, home.id)
            tenant.state, tenant.slug, tenant.name = State.DESTROYED, None, None
            session.add(
                StateChange(
                    tenant_id=home.id,
                    before=State.CLOSING,
                    after=State.DESTROYED,
                    mover=Mover.PLATFORM,
                    reason=REASON,
                    settled_at=now(),
                )
            )

    def _has_schema(self, home: Home) -> bool:
        with as_owner(self.owners.get(home.cell)) as connection:
            row = connection.execute("select to_regnamespace(%s) is not null", [home.role]).fetchone()
        return bool(row and row[0])
