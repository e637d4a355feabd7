"""From YAML to a checked study, every mistake in one line, and on to its cells.

Begin with `loading` (the order of the checks), `model` and `sections` (the keys), `arms` (from entries to
arms). Each `check_*` finds what is wrong with one section. `plan` goes from the study to tasks and cells.
"""
