"""A distribution over bits that is moved toward its better samples."""
