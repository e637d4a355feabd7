"""All that the numbers of a cell depend on: the loop, what is recorded, the noise ledger, the guards.

And the address of a cell.
"""
