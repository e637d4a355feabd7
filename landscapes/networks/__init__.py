"""Learning problems as landscapes: the training loss of a network over its weights."""
