"""Expressions of `record:`: what the loop knows, at checkpoints or averaged over the steps between."""
