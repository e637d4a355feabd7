from studies.text import words


def test_a_count_agrees_with_its_thing():
    assert words.counted(1, "world") == "1 world"
    assert words.counted(32, "world") == "32 worlds"


def test_the_nearest_path_is_one_beside_it():
    """By its last word: learning_rate by its initials, not `only` by its letters."""
    paths = ["optimizers.A.only", "optimizers.A.learning_rate", "optimizers.B.momentum", "noise.batch"]
    assert words.nearest_path("optimizers.A.lr", paths) == "optimizers.A.learning_rate"
    assert words.nearest_path("optimizers.*.momentun", paths) == "optimizers.*.momentum"
    assert words.nearest_path("noise.bacth", paths) == "noise.batch"
    assert words.nearest_path("nois.batch", paths) == "noise.batch"


def test_a_short_name_is_for_the_dotted_one_that_ends_with_it():
    names = ["gradient_cost", "noise.evaluation.gradient"]
    whole = "did you mean 'noise.evaluation.gradient'?"
    assert words.suggest_longer("gradient", names, names) == whole
    assert words.suggest_longer("noise.gradient", names, names) == whole
    assert words.suggest_longer("gradient_cosd", names, names) == "did you mean 'gradient_cost'?"
    assert words.longer("landscape.gradient", names) == []


def test_a_whole_number_of_an_axis_is_written_out():
    values = [4, 16384, 16384.0, -20000, 999999, 1000000, 0.1, 1 / 3, 12345.6, 0]
    texts = "4 16384 16384 -20000 999999 1e+06 0.1 0.3333 1.235e+04 0".split()
    assert [words.number(value) for value in values] == texts
