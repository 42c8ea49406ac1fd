"""A sample backoffice: invented contacts in a real database, the same for the same seed."""
