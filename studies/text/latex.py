"""Text as LaTeX sets it, by pdfLaTeX without packages of signs."""

from __future__ import annotations

import re
import unicodedata

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    '"': "''",
    "−": "$-$",
    "×": r"$\times$",
    "∞": r"$\infty$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "≈": r"$\approx$",
    "↑": r"$\uparrow$",
    "→": r"$\to$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "…": r"\dots{}",
    "–": "--",
    "—": "---",
    "\N{NO-BREAK SPACE}": "~",
}
SMALL = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi o pi rho varsigma sigma tau"
    " upsilon phi chi psi omega"
).split()
GREEK = {chr(ord("α") + place): f"$\\{name}$" for place, name in enumerate(SMALL) if name != "o"}
GREEK |= {sign: f"$\\{unicodedata.name(sign).split()[-1].capitalize()}$" for sign in "ΓΔΘΞΠΣΦΨΩ"}
GREEK |= {"Λ": r"$\Lambda$", "Υ": r"$\Upsilon$"}
SIGNS = SPECIAL | GREEK
POWER = re.compile(r"(?<![\w.])([−-]?)(\d+(?:\.\d+)?)e([+−-]?)0*(\d+)(?!\w)")


def escaped(text: str) -> str:
    """A text in which LaTeX reads no command: signs by name, Greek letters and 1e-08 as mathematics."""
    parts, end = [], 0
    for power in POWER.finditer(text):
        parts += [_signs(text[end : power.start()]), _power(power)]
        end = power.end()
    return "".join([*parts, _signs(text[end:])])


def _power(number: re.Match[str]) -> str:
    """`-1.2e-08` as a number times a power of ten."""
    minus, digits, sign, exponent = number.groups()
    power = f"{'-' if sign in {'-', '−'} else ''}{exponent}"
    return rf"${'-' if minus else ''}{digits} \times 10^{{{power}}}$"


def _signs(text: str) -> str:
    return "".join(SIGNS.get(sign, sign) for sign in text)
