"""The words of a study and its results that need more than a line: `describe sweep`, `describe interval`."""

from __future__ import annotations

from studies.text.formulas import CONSTANTS, FUNCTIONS

FORMULAS = f"""\
a number of an arm may be a formula, resolved when the study is read; the number runs, is stored and is shown
where: parameters of landscapes and optimizers, also in lists, schedules, grids and `on`; noise, oracle,
budget, targets, gradient_cost; the values and ends of an axis, and what it sets; other names of let; of let
alone: replicates, precision, workers, the numbers of tuning, match and claims
names, nearest first: the numbers beside it and those of its entry; those of the landscape (dim, terms ..) and
of the noise (batch, value, gradient); axes of sweep; names of let
landscape.NAME, noise.NAME, let.NAME: which is meant
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
no name of a function, of an axis, or of what is recorded; let.NAME where a nearer number has the name too;
see formulas

    let: {h: 0.5, eta_max: 2 / (h**2 + noise_scale / batch)}
    optimizers:
      SGD: {kind: sgd, learning_rate: eta_max / 2}"""

CLOCKS = """\
how long a run is, when it is looked at and when it hits a target may be told on any of these clocks
cost: evaluations of the whole loss, gradients at their price; a plain number is cost
steps: of a population generations; epochs: evaluations over terms, a gradient counting as one
virtual_time: of methods with workers (async_sgd, async_steady_state_ga)
seconds: that passed in steps, the looks at them left out. The worlds of a cell take each step together, 32 or
more of them, and seconds are those of the cell: the same arm has more of them in larger cells. With a budget
of {seconds: 60} each world is a cell of its own, and has the 60 to itself; it ends with the last step within
them. Seconds differ from run to run, and so does all that they end or choose
where: budget, checkpoints (also of a landscape or an optimizer); hit(0.1, clock=steps) in claims, figures,
tuning and `python -m studies.ask`; figures convergence, ecdf, profile and the x of curve
no hit moves because checkpoints do

    budget: {bowl: {steps: 480}, default: 4000}
    checkpoints: {count: 60, spacing: linear, clock: steps}
    optimizers:
      SGD: {kind: sgd, budget: {epochs: 3}, checkpoints: [0.1, 1]}
      CMA: {kind: cma_es, budget: {seconds: 60}, checkpoints: 20}
    figures: [{convergence: {clock: steps}}, {curve: {x: epochs, y: median(loss)}}]"""

SCHEDULE = """\
what multiplies a learning rate, a temperature or a sigma after t completed steps
with u = t / steps and c = factor, which every kind reaches at t = steps, or when the budget is spent:
constant      1
step          c ** floor(u)
exponential   c ** u
cosine        c + (1 - c) (1 + cos(pi min(u, 1))) / 2
inverse_time  1 / (1 + u (1 / c - 1))
logarithmic   1 / (1 + (1 / c - 1) ln(1 + t) / ln(1 + steps))
beyond t = steps cosine stays at c, the others go on falling
warmup: w steps come first and multiply by (t + 1) / w; t counts from their end
coupling of a method ties a batch or a population to it: grow, constant_variance, constant_temperature ..
the keys: python -m studies.describe sgd.schedule

    optimizers:
      decay: {kind: sgd, schedule: {kind: cosine, warmup: 10}}
      growing batch: {kind: sgd, batch: 4, coupling: grow, schedule: {kind: exponential, factor: 0.1}}"""

INTERVAL = """\
how each kind of number gets its 95 % interval, over worlds, or instances where worlds share them
means, ratios, expressions  Student's over the jackknife's error, all arms of a world left out together; the
                            end on the side of the longer tail is moved out as the skewness says (Johnson)
.. of medians, quantiles    bias-corrected accelerated bootstrap, drawn jointly for all arms, at the wider
                            level that makes up for few draws (the expanded interval of Hesterberg 2015)
.. fewer than 15 units      Student's; of what cannot be negative, that of the logarithm
medians, quantiles          order statistics, those of the sign test: no distribution is assumed
shares                      Clopper and Pearson's
ratios of two shares        score test of paired shares; where worlds share instances, as ratios
running times (ert)         Student's on the scale of the logarithm
exponents of axes           jackknives
what is known to two ends   (hits looked up in checkpoints) holds the intervals of both ends
extremes, max(loss)         none"""

TOPICS = {
    "clocks": CLOCKS,
    "formulas": FORMULAS,
    "interval": INTERVAL,
    "let": LET,
    "schedule": SCHEDULE,
    "sweep": SWEEP,
}  # word -> what is said of it


def line(word: str) -> str:
    """The first line about a word."""
    return TOPICS[word].split("\n")[0]
