"""Local stand-ins for marketing vendors' APIs: stateful, strict, and able to fail on request."""
