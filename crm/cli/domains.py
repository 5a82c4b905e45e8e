"""`freehold tenant domain`: the platform's word that an e-mail domain is a tenant's."""

import re
from pathlib import Path

import click

from crm.cli import options
from crm.cli.lifecycle import reason
from crm.cli.opening import living_tenant, opened_nursery
from crm.cli.refusals import Refused


@click.command("domain", short_help="Say that an e-mail domain is a tenant's.")
@click.argument("slug")
@click.argument("domain")
@reason
@options.data_dir
@options.as_json
def assign_domain(slug: str, domain: str, reason: str, data_dir: Path, *, as_json: bool) -> None:
    """Let DOMAIN be the tenant's, without a DNS record: its people sign in with its provider from then on."""
    from tenants.access.caller import SYSTEM, act_as
    from tenants.foundation.tables import Source
    from tenants.identity.single_sign_on.domains import DomainClaims, assign
    from tenants.identity.single_sign_on.schemas import DOMAIN
    from tenants.isolation.door import inside

    domain = domain.lower()
    if not re.fullmatch(DOMAIN.strip("^$"), domain):
        raise Refused(f"'{domain}' is no domain.")
    nursery = opened_nursery(data_dir)
    with inside(living_tenant(nursery.catalog, slug)):
        act_as(SYSTEM, source=Source.SYSTEM)
        assigned = assign(domain, DomainClaims(nursery.catalog, nursery.wrapper.hashed), reason)
        said = {"tenant": slug, "domain": domain, "verified_at": f"{assigned.verified_at:%Y-%m-%dT%H:%M:%SZ}"}
    options.answer(said, as_json=as_json)
