"""What a caller may be allowed with invoices and what settles them."""

from tenants.access.permissions import permission

READ_INVOICES = permission("invoices:read", "See invoices")
CREATE_INVOICES = permission("invoices:create", "Draft invoices")
EDIT_INVOICES = permission("invoices:edit", "Change drafts of invoices")
DELETE_INVOICES = permission("invoices:delete", "Delete drafts of invoices")
ISSUE_INVOICES = permission("invoices:issue", "Issue invoices")
READ_CREDIT_NOTES = permission("credit-notes:read", "See credit notes")
CREATE_CREDIT_NOTES = permission("credit-notes:create", "Issue credit notes")
READ_PAYMENTS = permission("payments:read", "See payments")
CREATE_PAYMENTS = permission("payments:create", "Record payments")
REVERSE_PAYMENTS = permission("payments:reverse", "Reverse payments")
READ_NUMBER_SERIES = permission("number-series:read", "See how documents are numbered")
EDIT_NUMBER_SERIES = permission("number-series:edit", "Choose what numbers of documents begin with")
