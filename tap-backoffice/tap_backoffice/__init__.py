"""tap-backoffice."""
