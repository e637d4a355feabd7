"""Methods that follow a gradient."""
