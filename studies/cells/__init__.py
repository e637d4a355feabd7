"""All that the numbers of a cell depend on: the loop, what is recorded, the noise ledger, the guards; and the address of a cell."""
