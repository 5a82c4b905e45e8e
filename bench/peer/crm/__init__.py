"""What each tenant of the peer holds: users, companies, contacts and an audit trail."""
