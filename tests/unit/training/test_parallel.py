"""Two processes on half a batch each against one on the whole: real processes, a real process group."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch.multiprocessing.spawn import spawn

from models.registry import Architecture
from tests.ports import free_port
from training import networks, parallel, recipe, schedule
from training.recipe import Recipe
from training.step import Batch, StepSettings
from training.step_runner import StepRunner

CPU = torch.device("cpu")
STEPS, BATCH = 4, 8
LR = {"residual": 0.01, "wgan-gp": 0.1}
VALUES = {
    "residual": {"architecture": "residual", "objective": "relativistic", "gamma": 1.0, "augment": 0.5},
    "wgan-gp": {"objective": "wasserstein", "gradient_penalty": 10.0, "discriminator_norm": False},
}


def recipe_of(name: str) -> Recipe:
    small = {"latent_dim": 8, "generator_channels": 4, "discriminator_channels": 4, "batch": BATCH}
    lr = {"generator_lr": LR[name], "discriminator_lr": LR[name]}
    return recipe.checked(recipe.load("dcgan").model_dump() | small | lr | VALUES[name] | {"instance_noise": 0.1})


def train(name: str, place: parallel.ProcessRank) -> dict[str, torch.Tensor]:
    resolved = recipe_of(name)
    architecture = Architecture(name=resolved.architecture, resolution=32, latent_dim=8, channels=4, classes=2)
    made = networks.build(resolved, architecture, 5, CPU, place)
    if name == "wgan-gp":  # statistics of a batch are each process's own
        made.generator.eval()
    # Plain descent: Adam would make a whole step of the sign of a rounding error.
    for optimiser, network in (
        ("generator_optimiser", made.generator),
        ("discriminator_optimiser", made.discriminator),
    ):
        setattr(made, optimiser, torch.optim.SGD(network.parameters(), 1.0))
    images = torch.rand(STEPS, BATCH, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    labels = torch.arange(BATCH) % 2
    n = BATCH // place.world_size
    mine = slice(place.rank * n, (place.rank + 1) * n)
    runner = StepRunner(made, StepSettings(resolved, CPU, torch.float32))
    for step in range(STEPS):
        batch = Batch(images[step, mine], labels[mine])
        runner.take_step([batch], schedule.values_at(resolved, 0.5), step, (step + 1) * BATCH)
    return {
        f"{name}.{key}": value.contiguous()
        for name, network in (("g", made.generator), ("d", made.discriminator), ("a", made.average))
        for key, value in network.state_dict().items()
    }


def process(rank: int, port: int, name: str, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    save_file(train(name, parallel.ProcessRank(rank, 2)), Path(folder) / f"{rank}.safetensors")
    dist.barrier()
    dist.destroy_process_group()
    parallel.exit_process(parallel.ProcessRank(rank, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", VALUES)
def test_two_processes_learn_what_one_learns_from_the_double_batch(name: str, tmp_path: Path) -> None:
    spawn(process, (free_port(), name, str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in range(2))
    alone, halved = train(name, parallel.ALONE), train(name, parallel.ProcessRank(0, 2))
    for key, expected in alone.items():
        assert torch.equal(first[key], second[key]), key
        # Float32 sums in another order, over four steps.
        torch.testing.assert_close(first[key], expected, rtol=1e-4, atol=1e-6)
    # The same without the averaging, so that the tolerance is known to tell.
    assert max((halved[key] - expected).abs().max().item() for key, expected in alone.items()) > 1e-4


def test_alone_there_is_nothing_to_agree_on() -> None:
    assert parallel.from_leader(0.25) == 0.25
    assert torch.equal(parallel.sum_over_processes(torch.ones(2)), torch.ones(2))
    assert parallel.ALONE.broadcast_path(lambda: Path("here")) == Path("here")


def test_every_process_gets_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert parallel.device_of_process("cuda") == "cuda"
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert parallel.device_of_process("cuda") == "cuda:3"
    assert parallel.device_of_process("cuda:1") == "cuda:1"
    assert parallel.device_of_process("cpu") == "cpu"
    assert parallel.device_of_process(None) == ("cuda:3" if torch.cuda.is_available() else None)
