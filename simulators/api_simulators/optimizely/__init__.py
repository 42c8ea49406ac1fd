"""Optimizely Campaign: SOAP 1.1 as Apache Axis 1.4 speaks it, and the REST API."""
