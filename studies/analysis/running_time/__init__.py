"""Running times: expected ones, restarts, areas, attainment, profiles, tables."""
