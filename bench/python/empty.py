"""Nothing: what it costs to start and stop."""
