"""Methods that read values only and keep no population."""
