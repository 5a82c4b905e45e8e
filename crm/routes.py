"""Every route that the application mounts, and the work that comes back by itself."""

from crm.billing.api import credit_notes, invoices, number_series, payments
from crm.contacts.api import companies, contacts
from crm.imports.api import imports
from crm.leads.api import leads
from crm.products.api import products
from crm.reports.api import reports
from crm.sales.api.deals import deals
from crm.sales.api.pipelines import pipelines, stages
from tenants.attachments.api import attachments
from tenants.attachments.jobs import sweep_attachments
from tenants.audit.api import audit_events
from tenants.fields.api import fields
from tenants.identity.oauth.api import connected_apps, oauth_clients
from tenants.identity.people.api.invitations import invitations
from tenants.identity.people.api.me import me
from tenants.identity.people.api.security import security_overview
from tenants.identity.people.api.teams import teams
from tenants.identity.people.api.users import email_changes, users
from tenants.identity.people.jobs import remind_of_review
from tenants.identity.programs.api import api_keys
from tenants.identity.rights.api import permissions, roles, roles_of
from tenants.identity.sharing.api import record_shares
from tenants.identity.sharing.jobs import sweep_shares
from tenants.identity.signing_in.api.authenticators import authenticators
from tenants.identity.signing_in.api.recovery import (
    email_verifications,
    my_address,
    my_password,
    password_resets,
    workspace_reminders,
)
from tenants.identity.signing_in.api.rules import sign_in_rules, users_factors
from tenants.identity.signing_in.api.sessions import sessions
from tenants.identity.single_sign_on.api.domains import claimed_domains
from tenants.identity.single_sign_on.api.providers import identity_providers
from tenants.identity.single_sign_on.api.signing_in import sign_in_methods, single_sign_on
from tenants.identity.single_sign_on.jobs import recheck_domains
from tenants.identity.tidying import tidy_up
from tenants.jobs.api import jobs
from tenants.lifecycle.api import tenant_state
from tenants.lifecycle.archives.api import archives
from tenants.lifecycle.certificates.api import certificates
from tenants.lifecycle.closing.api import closing
from tenants.lifecycle.keys.api import keys
from tenants.mail.jobs import tidy_mails
from tenants.notices.api import notices
from tenants.notices.jobs import tidy_notices
from tenants.portability.api.exports import exports
from tenants.portability.api.rules import export_rules
from tenants.portability.api.schedules import export_schedules
from tenants.portability.api.structure import export_structure
from tenants.provisioning.api import signup
from tenants.retention.api.bin import the_bin
from tenants.retention.api.holds import legal_holds
from tenants.retention.api.rules import retention_rules
from tenants.retention.jobs import empty_the_bin, run_retention_rules
from tenants.support_access.api import access_grants, access_log, access_visits
from tenants.support_access.jobs import mail_digest
from tenants.support_access.staff.api.accounts import me as staff_me
from tenants.support_access.staff.api.accounts import sessions as staff_sessions
from tenants.support_access.staff.api.accounts import tenants as staff_tenants
from tenants.support_access.staff.api.grants import access_grants as staff_grants
from tenants.support_access.staff.api.legal_orders import legal_orders
from tenants.support_access.staff.api.visits import visits as staff_visits
from tenants.webhooks.api import deliveries, webhooks
from tenants.webhooks.jobs import tidy_deliveries

#: In the order in which the page of the API shows them.
BLUEPRINTS = [
    # Getting in
    signup,
    sessions,
    sign_in_methods,
    single_sign_on,
    authenticators,
    my_password,
    password_resets,
    my_address,
    email_verifications,
    workspace_reminders,
    sign_in_rules,
    users_factors,
    identity_providers,
    claimed_domains,
    # People, and what they may
    me,
    users,
    invitations,
    email_changes,
    teams,
    roles,
    roles_of,
    permissions,
    record_shares,
    security_overview,
    # Programs
    api_keys,
    oauth_clients,
    connected_apps,
    # Records
    companies,
    contacts,
    leads,
    deals,
    pipelines,
    stages,
    products,
    invoices,
    credit_notes,
    payments,
    number_series,
    # With all records
    fields,
    attachments,
    imports,
    reports,
    the_bin,
    jobs,
    # What stays the tenant's: taking it away, and who saw what
    exports,
    export_schedules,
    export_rules,
    export_structure,
    audit_events,
    access_grants,
    access_visits,
    access_log,
    # What is kept, and what becomes of the whole
    retention_rules,
    legal_holds,
    keys,
    certificates,
    tenant_state,
    archives,
    closing,
    # What is told
    notices,
    webhooks,
    deliveries,
]

#: Routes of our own people, under /staff/v1.
STAFF_BLUEPRINTS = (staff_sessions, staff_me, staff_tenants, staff_grants, staff_visits, legal_orders)

#: Work that comes back in every tenant, and belongs to no route.
RECURRING = (
    sweep_shares,
    tidy_up,
    tidy_mails,
    tidy_notices,
    tidy_deliveries,
    sweep_attachments,
    run_retention_rules,
    empty_the_bin,
    recheck_domains,
    remind_of_review,
    mail_digest,
)
