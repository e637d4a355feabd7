"""The noise ledger read: sources, biases, spectra, populations."""
