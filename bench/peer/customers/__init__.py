"""Who the tenants are, in the shared schema of the peer."""
