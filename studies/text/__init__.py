"""Words in messages, names of things, the terminal."""
