"""Optimizely Campaign on the wire: SOAP 1.1, RPC/encoded, as Apache Axis 1.4 speaks it."""
