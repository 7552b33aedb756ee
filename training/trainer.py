"""The trainer: the networks, the data and the position of a run. It takes steps, and saves and restores its state."""

from dataclasses import replace
from pathlib import Path

import torch

from models import pixels
from models.precision import fastest_dtype
from training import budget, networks, parallel, run_start, saved_states, schedule, state
from training.augment import mirror
from training.batch_loader import BatchLoader
from training.clock import Clock
from training.run_plan import RunPlan
from training.step import SUMMARY, Batch, StepSettings
from training.step_runner import StepRunner


class Trainer:
    """Trains two networks step by step. Its position and its networks are the state of a run."""

    def __init__(self, plan: RunPlan, folder: Path | None, process: parallel.ProcessRank = parallel.ALONE) -> None:
        """Resume the run in `folder`, or start a new one."""
        recipe, data = plan.recipe, plan.dataset.description
        self.plan, self.process = plan, process
        self.loader = BatchLoader(
            plan.dataset, recipe.batch, plan.seed, plan.device, recipe.balance, process.rank, process.world_size
        )
        self.architecture = networks.architecture_of(recipe, data)
        self.classes = data.classes if self.architecture.classes else ()
        self.networks = networks.build(recipe, self.architecture, plan.seed, plan.device, process)
        self.budget = budget.of_recipe(recipe, self.loader.steps_per_epoch * self.loader.batch, self.images_per_step)
        self.sums = torch.zeros(len(SUMMARY), device=plan.device)
        """Running sums of the current epoch, named by SUMMARY."""
        # Loads states into the networks, so it comes after they are built.
        start = run_start.open_run(plan, folder, self.networks, self.budget)
        self.position, self.notice = start.position, start.notice
        if start.sums is not None:
            self.sums.copy_(start.sums)
        self._steps = StepRunner(self.networks, StepSettings(recipe, plan.device, fastest_dtype(plan.device)))
        self.learning_rates = recipe.generator_lr, recipe.discriminator_lr
        """Learning rates of the generator and the discriminator in the last step."""
        self.clock, self._steps_in_lap = Clock(self.position.seconds), 0

    @property
    def images_per_step(self) -> int:
        """Real images per generator step, of all processes."""
        return self.loader.batch * self.plan.recipe.discriminator_steps

    @property
    def images_seen(self) -> int:
        """Real images seen so far, by all processes."""
        return self.position.step * self.images_per_step

    @property
    def progress(self) -> float:
        """Share of the budget that is spent."""
        return self.budget.progress(self.position.step, self.position.seconds)

    @property
    def batches_seen(self) -> int:
        """Batches of real images seen so far."""
        return self.position.step * self.plan.recipe.discriminator_steps

    def restart_clock(self) -> None:
        """Continue counting from the position's seconds, without the time since the trainer was created."""
        self.clock = Clock(self.position.seconds)

    def take_step(self) -> None:
        """Train one generator step."""
        recipe, taken, guard_state = self.plan.recipe, self.position.step + 1, self.position.memory
        first = self.batches_seen
        batches = [self._batch(first + k) for k in range(recipe.discriminator_steps)]
        values = schedule.values_at(recipe, self.progress)
        # The guard's interventions scale the scheduled values for the rest of the run.
        values = replace(values, lr=values.lr * guard_state.lr_factor, gamma=values.gamma * guard_state.gamma_factor)
        self.learning_rates = recipe.generator_lr * values.lr, recipe.discriminator_lr * values.lr
        seen = taken * self.images_per_step
        self.sums += self._steps.take_step(batches, values, self.position.step, seen)
        self._steps_in_lap += 1
        # All processes must agree on the progress, or their learning rates and their number of steps would differ.
        seconds = parallel.minimum(self.clock.seconds())
        self.update(step=taken, steps_in_epoch=self.position.steps_in_epoch + 1, seconds=seconds)

    def mean_losses(self) -> dict[str, float]:
        """Return the mean losses and scores of the current epoch over all processes, named by SUMMARY."""
        total = parallel.sum_over_processes(self.sums / self.process.world_size)
        return dict(zip(SUMMARY, (total / max(1, self.position.steps_in_epoch)).tolist(), strict=True))

    def end_lap(self) -> float:
        """Return the images per second since the last call."""
        images, self._steps_in_lap = self._steps_in_lap * self.images_per_step, 0
        return images / self.clock.end_lap()

    def start_epoch(self) -> None:
        """Reset the running sums, and the figures and events of the log line."""
        self.sums.zero_()
        self.update(steps_in_epoch=0, figures={}, events=())

    def roll_back(self, folder: Path, event: str) -> None:
        """Restore the last healthy state in `folder`, and halve the learning rates."""
        kept = self.position
        self.position, sums = state.restore(folder / saved_states.HEALTHY, self.networks)
        self.sums.copy_(sums)
        self._steps.forget()
        # The healthy state is older: what the run spent, shipped and reported since then stays true.
        self.update(
            recipe=self.plan.recipe,
            seconds=kept.seconds,
            best=kept.best,
            events=(*kept.events, event),
            earlier_budgets=kept.earlier_budgets,
            memory=kept.memory.with_intervention(event),
        )

    def save(self, folder: Path, *, healthy: bool = False) -> None:
        """Save the state in `folder`. Only the leader writes."""
        with self.clock.save.running():
            if self.process.is_leader:
                saved_states.write(folder, self.position, self.networks, self.sums, healthy=healthy)

    def update(self, **changes: object) -> None:
        """Change fields of the position."""
        self.position = self.position.model_copy(update=changes)

    def _batch(self, number: int) -> Batch:
        images, labels = self.loader.load(number)
        real = pixels.from_uint8(images).contiguous(memory_format=torch.channels_last)
        if self.plan.recipe.mirror:
            real = mirror(real, self.networks.random)
        return Batch(real, labels if self.architecture.classes else None)
