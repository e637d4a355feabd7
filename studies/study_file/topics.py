"""The words of a study's language that need more than a line, each with an example: `describe sweep`."""

from __future__ import annotations

from studies.text.formulas import CONSTANTS, FUNCTIONS

FORMULAS = f"""\
a number of an arm may be a formula, resolved when the study is read; the number runs, is stored and is shown
where: parameters of landscapes and optimizers, also in lists, schedules, grids and `on`; noise, oracle,
budget, targets, gradient_cost; the values and ends of an axis, and what it sets; other names of let
names, nearest first: the numbers beside it and those of its entry; those of the landscape (dim, terms ..) and
of the noise (batch, value, gradient); axes of sweep; names of let. landscape.NAME, noise.NAME: which is meant
signs: + - * / **, comparisons; functions: {" ".join(FUNCTIONS)}; numbers: {" ".join(CONSTANTS)}
your own: my_module:function, called with the names that are its arguments
inside of {{ }} and [ ] a formula with a comma or a bracket needs quotes

    let: {{temperature: 0.05}}
    budget: 200 * dim
    noise: {{batch: terms / 8}}
    landscapes:
      bowl: {{kind: quadratic, dim: 10, condition: 100, terms: 64}}
    optimizers:
      fastest: {{kind: sgd, learning_rate: 2 / (1 + 1 / condition)}}
      warm: {{kind: sgd, learning_rate: "min(0.1, temperature * batch)"}}"""

SWEEP = """\
the study runs at each value; several axes give all combinations; each is a dim of the results
an axis is a path and its values, or has a name of its own and says what it runs through (values; or from, to,
count and spacing: linear | log) and the paths that it sets, with * for any label, or path -> formula of it;
or choices, where there is no number
a formula of an entry may use an axis by its name; such an axis may leave out sets

    sweep:
      noise.batch: [8, 32, 128]
      N: {values: [10, 40, 160], sets: [optimizers.*.population]}
      kappa:
        values: [40, 160]
        sets: {landscapes.bowl.condition: kappa, optimizers.SGD.learning_rate: 1 / kappa}
      eta: {from: 0.01, to: 1, count: 9, spacing: log, sets: optimizers.SGD.learning_rate}
      shape: {choices: {round: {landscapes.bowl.condition: 1}, long: {landscapes.bowl.condition: 1000}}}"""

LET = """\
names for the formulas of a study, each a number or itself a formula, also of the arm in which it is used
no name of a function, and none of an axis; see formulas

    let: {h: 0.5, eta_max: 2 / (h**2 + noise_scale / batch)}
    optimizers:
      SGD: {kind: sgd, learning_rate: eta_max / 2}"""

CLOCKS = """\
how long a run is, when it is looked at and when it hits a target may be told on any of these clocks
cost: evaluations of the whole loss, gradients at their price; a plain number is cost
steps: of a population generations; epochs: evaluations over terms, a gradient counting as one
virtual_time: of methods with workers (async_sgd, async_steady_state_ga); seconds: recorded alone, as they are
others on another machine
where: budget, checkpoints (also of a landscape or an optimizer); hit(0.1, clock=steps) in claims, figures,
tuning and `python -m studies.ask`; figures convergence, ecdf, profile and the x of curve
no hit moves because checkpoints do

    budget: {bowl: {steps: 480}, default: 4000}
    checkpoints: {count: 60, spacing: linear, clock: steps}
    optimizers:
      SGD: {kind: sgd, budget: {epochs: 3}, checkpoints: [0.1, 1]}
    figures: [{convergence: {clock: steps}}, {curve: {x: epochs, y: median(loss)}}]"""

TOPICS = {
    "clocks": CLOCKS,
    "formulas": FORMULAS,
    "let": LET,
    "sweep": SWEEP,
}  # word -> what is said of it


def line(word: str) -> str:
    """The first line about a word."""
    return TOPICS[word].split("\n")[0]
