"""singer-seal."""
