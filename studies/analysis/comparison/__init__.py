"""Who is better: paired comparisons, ranks, winners, power, factorial effects."""
