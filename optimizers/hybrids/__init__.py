"""Between one trajectory and a population."""
