from app.cluster.first_seen import FirstSeen


def test_what_is_seen_at_every_look_lasts() -> None:
    sightings = FirstSeen()
    assert sightings.lasting(["a", "b"], 2, 10) == set()
    assert sightings.lasting(["a", "b", "c"], 2, 11) == set()
    assert sightings.lasting(["a", "c"], 2, 12) == {"a"}


def test_what_is_missed_at_one_look_begins_again() -> None:
    sightings = FirstSeen()
    for seen, now in ((["a"], 0.0), ([], 1.0), (["a"], 2.0)):
        assert sightings.lasting(seen, 2, now) == set()
    assert sightings.lasting(["a"], 2, 4) == {"a"}


def test_what_is_forgotten_begins_at_the_next_look() -> None:
    sightings = FirstSeen()
    sightings.lasting(["a", "b"], 2, 0)
    sightings.forget(["a", "unknown"])
    assert sightings.lasting(["a", "b"], 2, 2) == {"b"}
    assert sightings.lasting(["a", "b"], 2, 4) == {"a", "b"}
