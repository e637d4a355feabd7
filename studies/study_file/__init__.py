"""From YAML to a checked study, every mistake in one line.

Begin with `loading` (the order of the checks), `model` and `sections` (the keys), `arms` (from entries to
arms). Each `check_*` finds what is wrong with one section. `plan` goes on from the study to its tasks and cells.
"""
