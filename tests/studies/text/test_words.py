from studies.text import words


def test_a_count_agrees_with_its_thing():
    assert words.counted(1, "world") == "1 world"
    assert words.counted(32, "world") == "32 worlds"
