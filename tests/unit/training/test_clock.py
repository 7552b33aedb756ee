import pytest

from training.clock import Clock, DueTimer


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    time = [0.0]
    monkeypatch.setattr("training.running_time.RunningTime.seconds", lambda _: time[0])
    return time


@pytest.mark.parametrize(
    ("cost", "due_after"), [(1.0, 60.0), (10.0, 200.0), (1000.0, 600.0)], ids=["cheap", "dear", "very dear"]
)
def test_what_costs_more_comes_less_often_but_never_too_seldom(now: list[float], cost: float, due_after: float) -> None:
    occasion = DueTimer(60, lambda: now[0])
    with occasion.running():
        now[0] += cost
    now[0] += due_after - 0.001
    assert not occasion.is_due()
    now[0] += 0.001
    assert occasion.is_due()


def test_a_lap_leaves_out_what_was_done_aside(now: list[float]) -> None:
    counted = Clock(seconds=100)
    now[0] = 7
    with counted.excluded(counted.check):
        now[0] = 9
    now[0] = 10
    assert counted.end_lap() == pytest.approx(8)
    assert counted.seconds() == pytest.approx(110)
    now[0] = 13
    assert counted.end_lap() == pytest.approx(3)
