"""The check that every product is right (malicious security)."""
