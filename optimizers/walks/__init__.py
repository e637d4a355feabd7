"""One point that moves by chance: Metropolis walks, adaptive walks, (1+1) methods."""
