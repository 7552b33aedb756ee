from training.prove import verdict
from training.prove.statistics import Difference
from training.prove.verdict import Verdict

GAIN, LOSS, SAME = Difference(0.1, 0.05, 0.15), Difference(-0.3, -0.35, -0.25), Difference(0.001, -0.01, 0.012)


def decide(**gains: Difference) -> Verdict:
    found = {int(name[1:]): gain for name, gain in gains.items()}
    return verdict.decide(found, dict.fromkeys(found, LOSS))


def test_a_gain_at_few_images_helps_up_to_the_last_of_them() -> None:
    made = decide(k5=GAIN, k10=GAIN, k25=SAME, k50=SAME)
    assert made.helps_at == (5, 10)
    assert made.sentence == (
        "helps up to about 10 real images per class (+10.0 points at 5, +10.0 points at 10); "
        "makes no difference at 25 and 50"
    )
    assert not made.is_doubtful


def test_a_gain_everywhere_has_no_known_end() -> None:
    assert decide(k5=GAIN, k10=GAIN).sentence == (
        "helps at every number that was tried, up to 10 real images per class (+10.0 points at 5, +10.0 points at 10)"
    )


def test_a_gain_in_between_is_not_taken_for_a_trend() -> None:
    assert decide(k5=SAME, k10=GAIN, k25=SAME).sentence == (
        "helps only at 10 real images per class (+10.0 points at 10); makes no difference at 5 and 25"
    )


def test_no_difference_is_said() -> None:
    assert decide(k5=SAME, k10=SAME, k25=SAME).sentence == ("makes no difference at 5, 10 and 25 real images per class")


def test_a_wide_interval_is_not_taken_for_no_difference() -> None:
    made = decide(k5=Difference(0.08, -0.13, 0.29), k10=SAME)
    assert made.sentence == "makes no difference at 10; is uncertain (more --repeats narrow the interval) at 5"


def test_harm_comes_first() -> None:
    made = decide(k5=SAME, k10=LOSS, k25=LOSS)
    assert made.harms_at == (10, 25)
    assert made.sentence == (
        "HARMS at 10 and 25 real images per class (-30.0 points at 10): do not train on it; makes no difference at 5"
    )


def test_help_at_few_and_harm_at_many_are_both_said() -> None:
    assert decide(k5=GAIN, k10=SAME, k25=LOSS).sentence == (
        "HARMS at 25 real images per class (-30.0 points at 25): do not train on it there; "
        "helps up to about 5 real images per class (+10.0 points at 5); makes no difference at 10"
    )


def test_a_placebo_that_gains_makes_the_measurement_doubtful() -> None:
    made = verdict.decide({5: GAIN, 10: GAIN}, {5: SAME, 10: Difference(0.04, 0.01, 0.07)})
    assert made.is_doubtful
    assert made.sentence.startswith(
        "DOUBTFUL: synthetic images with shuffled labels gain, too (+4.0 points at 10), so a gain need not come from "
        "what they show; helps at every number"
    )


def test_a_placebo_may_tie_or_gain_less_than_a_point() -> None:
    made = verdict.decide({5: GAIN, 10: GAIN}, {5: Difference(0.005, 0.001, 0.009), 10: Difference(0.05, -0.01, 0.11)})
    assert not made.is_doubtful
