"""`python -m studies`: the commands, a line each; a command is named behind a dot."""

import pytest

from studies.__main__ import COMMANDS, main


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_each_command_has_a_line(words, capsys):
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [line.split()[0] for line in lines] == [f"studies.{name}" for name in COMMANDS]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["runn"], "unknown command 'runn'; did you mean 'run'?"),
        (["studies.figuers", "all"], "unknown command 'figuers'; did you mean 'figures'?"),
        (["run", "quickstart"], "expected a dot before the command: python -m studies.run"),
    ],
)
def test_what_is_no_command_is_one_line_and_exit_code_2(words, line, capsys):
    assert main(words) == 2
    assert capsys.readouterr() == ("", f"{line}\n")
