"""target-kit."""
