"""The words of quantities: an example and a line each (`python -m studies.describe hit`), and what they give.

All that is said of a word before there are results stands here: whether it is of each world or of all, what
sign it has, whether it is smooth. `studies.analysis.quantities.parts` walks the trees in which they stand.
"""

from __future__ import annotations

from typing import NamedTuple

from studies.text.formulas import FUNCTIONS

EACH, ALL = "each", "all"
NEVER, KEPT, AXIS = "never", "kept", "axis"


class Word(NamedTuple):
    """What a word of quantities says."""

    example: str
    line: str
    of: str = ALL  # whose number it is: of EACH world, of ALL; "": of an arm, whatever the worlds
    sign: str = ""  # NEVER negative, or not where its argument is not (KEPT) or its AXIS; "": either
    smooth: bool = True  # in the worlds, so that the jackknife knows its error


OVER_TIME = "with since=0.5 of each world, over its own checkpoints from half of the budget on"
CLOCKS = "by cost, or with clock=steps, epochs, virtual_time or seconds"
ENDS = "known to the distance of two checkpoints, whose both ends the interval holds"
START = "0 of a world that starts below it"
AT_START = "a world in which it holds from the start has its first checkpoint"
LEDGER = "noise ledger, pooled over worlds, at its last moment or (moment=0.5)"
TIMES = "seconds (`timing:`); wall, or [processor], what other programs took left out"
WORDS = {
    "mean": Word("mean(loss)", f"mean over worlds; {OVER_TIME}", sign=KEPT),
    "median": Word(
        "median(hit(0.1))",
        "median over worlds, an observed value; inf: more than half never",
        sign=KEPT,
        smooth=False,
    ),
    "quantile": Word(
        "quantile(loss, 0.9)", "quantile over worlds, an observed value", sign=KEPT, smooth=False
    ),
    "variance": Word("variance(loss)", f"variance over worlds; {OVER_TIME}", sign=NEVER),
    "sd": Word("sd(loss) / mean(loss)", f"standard deviation over worlds; {OVER_TIME}", sign=NEVER),
    "share": Word(
        "share(loss < 0.1)", "share of worlds in which it is so, with a binomial interval", sign=NEVER
    ),
    "min": Word(
        "min(loss)", f"least of these worlds, without an interval; {OVER_TIME}; min(a, b)", sign=KEPT
    ),
    "max": Word(
        "max(loss)", f"largest of these worlds, without an interval; {OVER_TIME}; max(a, b)", sign=KEPT
    ),
    "hit": Word(
        "hit(0.1, clock=steps)",
        f"when the recommended point first reached a loss, {CLOCKS}; {START}; inf: never",
        EACH,
        NEVER,
    ),
    "best_hit": Word(
        "best_hit(0.1)", f"when the best evaluated point first reached a loss, {CLOCKS}", EACH, NEVER
    ),
    "ert": Word(
        "ert(0.1)",
        f"expected running time: all that was spent over the number of hits, {CLOCKS}",
        sign=NEVER,
    ),
    "first": Word(
        "first(loss < 0.1)",
        f"when a condition first held at a checkpoint, {CLOCKS}; {ENDS}; {AT_START}",
        EACH,
        NEVER,
    ),
    "rate": Word(
        "rate(loss)", "rate at which it falls in each world, per step; law=sublinear, exponential", EACH
    ),
    "distance": Word(
        "distance(theta, exp(-theta**2 / 2))",
        "total variation between the worlds' values and a density",
        sign=NEVER,
    ),
    "distance_floor": Word(
        "distance_floor(theta, exp(-theta**2 / 2))",
        "what so many draws from the density itself would have",
        "",
        NEVER,
    ),
    "optimum": Word(
        "optimum(loss, eta)",
        "value of an axis at which a quantity is lowest, by a parabola",
        sign=AXIS,
        smooth=False,
    ),
    "crossing": Word(
        'crossing(loss["A"], loss["B"], N)',
        "value of an axis at which two are equal",
        sign=AXIS,
        smooth=False,
    ),
    "exponent": Word("exponent(loss, B)", "b of the power B^b by which a quantity goes with an axis"),
    "fitted": Word(
        "fitted(a + b * n, q, n, 4, 256)",
        "a formula, linear in its constants, fitted to a quantity at values of an axis (all, where none is"
        " given), at each value",
    ),
    "constant": Word("constant(b, a + b * n, q, n, 4, 256)", "a constant of such a fit"),
    "limit": Word(
        "limit(share(diverged) < 0.5, eta)",
        "last value of an axis up to which a condition holds",
        sign=AXIS,
        smooth=False,
    ),
    "diverged": Word("share(diverged)", "1 of a world that has diverged, else 0", EACH, NEVER),
    "timing.least": Word(
        "timing.least[processor]", f"least time of a step of each world alone: {TIMES}", EACH, NEVER
    ),
    "timing.lower_quartile": Word(
        "timing.lower_quartile", f"lower quartile of the times of a step: {TIMES}", EACH, NEVER
    ),
    "timing.median": Word("timing.median", f"median of the times of a step: {TIMES}", EACH, NEVER),
    "timing.upper_quartile": Word(
        "timing.upper_quartile", f"upper quartile of the times of a step: {TIMES}", EACH, NEVER
    ),
    "timing.memory": Word(
        "timing.memory",
        "bytes that a step of each world alone holds beside what was there before",
        EACH,
        NEVER,
    ),
    "ledger.gain": Word("ledger.gain[raw]", f"length of the mean step per reference: {LEDGER}"),
    "ledger.relative_gain": Word("ledger.relative_gain[raw]", f"gain over what is meant: {LEDGER}"),
    "ledger.cosine": Word("ledger.cosine[raw]", f"of the mean step and the reference: {LEDGER}"),
    "ledger.bias": Word(
        "ledger.bias[selection, scale=learning_rate]",
        f"squared bias over the squared mean step: {LEDGER}",
    ),
    "ledger.length": Word(
        "ledger.length", f"root mean square length of the mean step: {LEDGER}", sign=NEVER
    ),
    "ledger.share": Word(
        "ledger.share[data]", f"of a source alone in the variance of a step: {LEDGER}"
    ),
    "ledger.total": Word("ledger.total[data]", f"of a source, alone and with others: {LEDGER}"),
    "ledger.interaction": Word("ledger.interaction", f"what no source does alone: {LEDGER}"),
    "ledger.error": Word(
        "ledger.error",
        "length of a step's error over the step with the settings of ledger.against, of mean squares:"
        f" {LEDGER}",
        sign=NEVER,
    ),
    "ledger.error_length": Word(
        "ledger.error_length",
        f"length of a step over that with other settings (against), of mean squares: {LEDGER}",
        sign=NEVER,
    ),
    "ledger.error_cosine": Word(
        "ledger.error_cosine",
        "mean cosine of each step and the same one with other settings (against), 1 where none is turned:"
        f" {LEDGER}",
    ),
    "ledger.noise_to_signal": Word(
        "ledger.noise_to_signal", f"variance over squared mean step: {LEDGER}", sign=NEVER
    ),
    "ledger.noise_scale": Word(
        "ledger.noise_scale", f"sample at which noise equals signal: {LEDGER}", sign=NEVER
    ),
    "ledger.effective_population": Word(
        "ledger.effective_population", f"by drift: {LEDGER}", sign=NEVER
    ),
    "ledger.temperature": Word("ledger.temperature", f"of a step: {LEDGER}"),
    "ledger.stationary_temperature": Word("ledger.stationary_temperature", f"at rest: {LEDGER}"),
}
LANGUAGE = f"""what may be asked, of each landscape, optimizer and value of an axis:
  loss  theta  learning_rate             what was recorded, or a number that ran
  loss(start)  loss(cost=100)            when; also steps=40, budget=0.5
  loss["ES"] - loss["SGD"]               whose, in the same worlds; [AXIS=VALUE]
  median(loss)  share(loss < 0.1)        over worlds; the mean unless you say
  hit(0.1, clock=steps)  rate(loss)      of each world; also best_hit first ert
  optimum(loss, eta)                     along an axis; crossing exponent limit fitted
  ledger.gain[raw]  ledger.share[data]   of the noise ledger; (moment=0.5)
  timing.least[processor]                of a step; median memory ..
  + - * / **  sqrt exp log ..            of any of these
  theory:NAME  module:function           of the numbers that each arm ran with
more of a word: python -m studies.describe WORD
words: {", ".join(name for name in WORDS if "." not in name)}
functions: {", ".join(FUNCTIONS)}"""


def uncalled(name: str) -> str:
    """What a word is to be followed by that stands alone, as `hit["SGD"]`; empty of what is none."""
    return f"expected {WORDS[name].example}" if name in WORDS else ""
