"""Other libraries' own search methods, behind the same door as ours."""
