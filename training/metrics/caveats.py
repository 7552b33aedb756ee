"""Sentences about the limits of figures, for example too few samples."""

from training.metrics.figures import Evaluation

_ENOUGH_POINTS = 1000
"""Fewer points of each kind make manifolds unreliable. Naeem et al. 2020 use 10 000."""
_SMALL_BIAS = 0.05
"""Share of a distance below which its bias is not mentioned."""


def sentences(evaluation: Evaluation, distance: str) -> list[str]:
    """Return a sentence for each figure with too few images. `distance` is the name of the Frechet distance."""
    return [*_of_samples(evaluation, distance), *_of_reals(evaluation, distance), *_of_manifolds(evaluation)]


def _of_samples(evaluation: Evaluation, distance: str) -> list[str]:
    n, dim, value, bias = evaluation.provenance.fakes, evaluation.dim, evaluation.figures.fd, evaluation.fd_bias
    about = "" if bias is None else f", here by about {bias:.3g}"
    if n < dim:
        return [
            f"{distance}: {n:,} samples are too few, fewer than the {dim:,} features; the distance is biased upwards"
            f"{about}. Measure 10,000 (--n), or compare it with distances of {n:,} samples only"
        ]
    if bias is not None and bias > _SMALL_BIAS * value:
        return [f"{distance}: with {n:,} samples it is biased upwards{about}; more samples give a smaller distance"]
    return []


def _of_reals(evaluation: Evaluation, distance: str) -> list[str]:
    provenance = evaluation.provenance
    # The floor halves the reals, so its Frechet distance is biased more than that of many samples.
    half = provenance.reals // 2
    if half >= provenance.fakes or evaluation.floor.fd <= evaluation.fd_same_size * _SMALL_BIAS:
        return []
    return [
        f"{distance}: the column of reals is of {half:,} against {half:,} images, which biases it upwards, too. "
        f"{half:,} samples against those images have {evaluation.fd_same_size:.4g}: compare that with the reals' "
        f"{evaluation.floor.fd:.4g}"
    ]


def _of_manifolds(evaluation: Evaluation) -> list[str]:
    points, k = evaluation.provenance.manifold, evaluation.provenance.k
    if points >= _ENOUGH_POINTS:
        return []
    return [
        f"precision, recall, density and coverage use {points:,} points of each kind and {k} neighbours; "
        f"fewer points make them look better, so measure {_ENOUGH_POINTS:,} or more"
    ]
