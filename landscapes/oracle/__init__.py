"""What a query costs and how its answer is disturbed: the only door between a search and a landscape."""
