"""Singer tap for the contacts of an arbitrary backoffice database."""
