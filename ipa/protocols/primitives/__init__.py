"""What sends messages: every protocol above is composed of these."""
