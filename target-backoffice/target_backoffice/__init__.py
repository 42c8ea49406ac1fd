"""Singer target for the tables of the backoffice."""
