"""Computes one cell: the loop, what it records, the noise ledger, guards of users' code, its address."""
