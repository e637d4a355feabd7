"""Two-player games: vector fields in which each player descends a loss of its own."""
