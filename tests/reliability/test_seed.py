"""The same seed gives the same numbers, whoever loads the clips."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

YAML = Path(__file__).parents[2] / "recipes/ESC50/hparams/ipet.yaml"


@pytest.mark.slow
def test_runs_of_one_seed_are_bit_equal(arguments, train, record, tmp_path):
    """With SpecAugment and dropout."""
    record("same seed again, and with worker processes", 2)

    def run(name, workers, seed):
        """Trains; gives losses and trained tensors."""
        args = arguments("ESC50", tmp_path / name, "--seed", str(seed))
        args[args.index("--num_workers") + 1] = str(workers)
        train(YAML, [*args, "--number_of_epochs", "2"])
        log = (tmp_path / name / "train_log.txt").read_text()
        return log, load_file(tmp_path / name / "artefact/petl.safetensors")

    first, tensors = run("first", 0, 1)
    for name, workers in (("again", 0), ("workers", 2)):
        log, others = run(name, workers, 1)
        assert log == first
        assert all(others[k].equal(tensors[k]) for k in tensors)
    log, others = run("other", 0, 2)
    assert log != first
    assert not all(others[k].equal(tensors[k]) for k in tensors)
