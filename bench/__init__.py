"""How fast the shipped program is, beside the ordinary way to build it and beside PostgreSQL alone."""
