"""What a gradient costs beside an evaluation, and who is ahead at which price."""
