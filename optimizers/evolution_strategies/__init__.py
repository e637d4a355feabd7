"""Evolution strategies: a Gaussian that is moved toward its better samples."""
