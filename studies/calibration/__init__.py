"""Parameters found in worlds that the comparison never sees: `tuning:` and `match:`."""
