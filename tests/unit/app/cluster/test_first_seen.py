from app.cluster.first_seen import FirstSeen


def test_what_is_seen_at_every_look_lasts() -> None:
    first_seen = FirstSeen()
    assert first_seen.observe(["a", "b"], 2, 10) == set()
    assert first_seen.observe(["a", "b", "c"], 2, 11) == set()
    assert first_seen.observe(["a", "c"], 2, 12) == {"a"}


def test_what_is_missed_at_one_look_begins_again() -> None:
    first_seen = FirstSeen()
    for seen, now in ((["a"], 0.0), ([], 1.0), (["a"], 2.0)):
        assert first_seen.observe(seen, 2, now) == set()
    assert first_seen.observe(["a"], 2, 4) == {"a"}


def test_what_is_forgotten_begins_at_the_next_look() -> None:
    first_seen = FirstSeen()
    first_seen.observe(["a", "b"], 2, 0)
    first_seen.forget(["a", "unknown"])
    assert first_seen.observe(["a", "b"], 2, 2) == {"b"}
    assert first_seen.observe(["a", "b"], 2, 4) == {"a", "b"}
