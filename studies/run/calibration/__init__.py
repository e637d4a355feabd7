"""Parameters found in worlds that the comparison never sees: `tuning:` and `match:`.

Match is in `pilots`, `search` and `matched`, tuning in `trials`, `trial_points` and `tuned`; both use the
others.
"""
