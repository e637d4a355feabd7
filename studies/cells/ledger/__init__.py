"""The noise ledger: how far a step goes, in which direction, how random it is, and by which source.

From states frozen at moments of cost (`freezing`), the same step is taken M times with the sources' streams
addressed afresh (`redraws`); `record` turns the steps into numbers of each world (`statistics`), held
against the true slopes of the loss (`slopes`). A step is the change of an optimizer's `center`: a
trajectory's point, a population's mean, allele frequencies. `studies.analysis.noise.noise` reads what is
recorded.
"""

from studies.cells.ledger.record import Book, NoiseLedger, record
from studies.cells.ledger.redraws import Scene

__all__ = ["Book", "NoiseLedger", "Scene", "record"]
