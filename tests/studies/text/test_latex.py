"""Text for LaTeX: what TeX would read as a command is a sign, powers of ten and Greek letters are mathematics."""

import pytest

from studies.text.latex import escaped


@pytest.mark.parametrize(
    ("text", "as_latex"),
    [
        ("plain text, 12.5", "plain text, 12.5"),
        ("a_b & 50 % of $5 #1 {x}", r"a\_b \& 50 \% of \$5 \#1 \{x\}"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("x^2 ~ 3", r"x\textasciicircum{}2 \textasciitilde{} 3"),
        ("1.2e-08, 4e−15", r"$1.2 \times 10^{-8}$, $4 \times 10^{-15}$"),
        ("−3e+10 to 1e300", r"$-3 \times 10^{10}$ to $1 \times 10^{300}$"),
        ("version1e5, 0x1e5, 2e5x", "version1e5, 0x1e5, 2e5x"),  # no numbers
        ("λ = 0.1, Σ, σ, ο", r"$\lambda$ = 0.1, $\Sigma$, $\sigma$, ο"),
        ("μ = ∞, ς", r"$\mu$ = $\infty$, $\varsigma$"),
        ("a < b > c | d", "a $<$ b $>$ c $|$ d"),
        ("Schrödinger", "Schrödinger"),
    ],
)
def test_escaped(text, as_latex):
    assert escaped(text) == as_latex
