"""Schedules that are told in epochs and stepped after updates."""

import pytest
import torch
from speechbrain_petl.training.schedules import multi_step


@pytest.mark.parametrize("updates", [1, 7])
def test_a_step_after_each_of_some_epochs(updates):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 1.0)
    schedule = multi_step(optimizer, T_max=40 * updates, epochs=40)
    ends = []
    for _ in range(40):
        for _ in range(updates):
            optimizer.step()
            schedule.step()
        ends.append(optimizer.param_groups[0]["lr"])
    wanted = [0.85 ** min(max(epoch - 4, 0), 21) for epoch in range(1, 41)]
    assert ends == pytest.approx(wanted)


def test_a_short_training_takes_no_step():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 1.0)
    schedule = multi_step(optimizer, T_max=6, epochs=2)
    for _ in range(6):
        optimizer.step()
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == 1.0
