"""Runs any Singer tap and adds an end-of-snapshot marker only after a true success."""
