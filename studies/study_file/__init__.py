"""From YAML to a checked study, every mistake in one line."""
