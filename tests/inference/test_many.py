"""Many files at once give what each gives alone."""

import threading
from itertools import count, islice

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.inference import many
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.many import MOST_WORKERS, classify_files


@pytest.fixture(scope="module")
def bank(make_artefact, tiny_folder, tmp_path_factory):
    """Two tasks of different classes and clip lengths."""
    root = tmp_path_factory.mktemp("artefacts")
    make_artefact(root / "a", "adapter_hou_par", "abc")
    make_artefact(root / "b", "lora", "vwxyz", max_length=64)
    bank = AdapterBank(tiny_folder)
    bank.add("a", root / "a")
    bank.add("b", root / "b")
    return bank


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Files of many lengths and rates, one of which is none."""
    root = tmp_path_factory.mktemp("files")
    generator = np.random.default_rng(0)
    found = []
    for number in range(9):
        rate = (16000, 8000, 22050)[number % 3]
        wave = generator.normal(size=rate * (number + 1) // 4) * 0.1
        found.append(str(root / f"{number}.wav"))
        soundfile.write(found[-1], wave, rate)
    (root / "4.wav").write_bytes(b"no audio")
    return found


def test_they_equal_files_one_by_one(bank, files):
    found = list(classify_files(bank, files, at_once=4))
    assert [answer.path for answer in found] == files
    for answer in found:
        if answer.path.endswith("4.wav"):
            assert "cannot be read as audio" in str(answer.error)
            assert answer.predictions == []
            continue
        assert answer.error is None
        alone = bank.classify_file(answer.path)
        for one, other in zip(answer.predictions, alone, strict=True):
            assert (one.task, one.label) == (other.task, other.label)
            assert torch.allclose(one.posteriors, other.posteriors, atol=1e-4)


def test_precision_is_of_all_answers(bank, files, tiny_folder):
    """bfloat16 for threads too, and alone as in batches; near float32."""
    rough = AdapterBank(tiny_folder, precision="bf16")
    rough._tasks = bank._tasks
    found = [one for one in classify_files(rough, files, 4) if not one.error]
    for answer in found:
        alone = rough.classify_file(answer.path)
        exact = bank.classify_file(answer.path)
        for one, other, third in zip(
            answer.predictions, alone, exact, strict=True
        ):
            assert one.posteriors.dtype == torch.float32
            assert torch.allclose(one.posteriors, other.posteriors, atol=0.25)
            assert torch.allclose(one.posteriors, third.posteriors, atol=0.25)
            assert not torch.equal(one.posteriors, third.posteriors)
    with pytest.raises(ValueError, match="fp64"):
        AdapterBank(tiny_folder, precision="fp64")


def test_an_endless_source(bank, files):
    taken = []

    def names():
        """Yields a file again and again."""
        for number in count():
            taken.append(number)
            yield files[0]

    found = list(islice(classify_files(bank, names(), at_once=2), 3))
    assert len(found) == 3 and len(taken) <= 2 * (MOST_WORKERS + 3)


def test_blocks_share_the_cores_and_give_them_back(bank, files, monkeypatch):
    before, seen = torch.get_num_threads(), set()
    read = many.read_audio

    def where(*args):
        """Reads, and keeps where it ran with how many threads."""
        seen.add((threading.get_ident(), torch.get_num_threads()))
        return read(*args)

    monkeypatch.setattr(many, "read_audio", where)
    torch.set_num_threads(2)
    try:
        paths = 4 * files
        found = list(classify_files(bank, paths, at_once=2))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert [answer.path for answer in found] == paths
    assert {threads for _, threads in seen} == {1}
    assert threading.get_ident() not in {thread for thread, _ in seen}
    # A few files, and be they long, have all cores.
    seen.clear()
    list(classify_files(bank, files[:3]))
    assert seen == {(threading.get_ident(), before)}


def test_an_output_that_is_not_finite_is_of_one_file(bank, files, tmp_path):
    loud = str(tmp_path / "loud.wav")
    soundfile.write(loud, np.full(8000, 1e9), 16000, "DOUBLE")
    found = list(classify_files(bank, [files[0], loud, files[1]]))
    failed = [answer.error is not None for answer in found]
    assert failed in ([False, True, False], [False, False, False])
    assert found[0].predictions and found[2].predictions


def test_what_fails_in_a_batch_is_tried_alone(bank, files, monkeypatch):
    def small(*_):
        """Has no memory for a batch."""
        raise RuntimeError("out of memory")

    monkeypatch.setattr(many, "classify", small)
    found = list(classify_files(bank, files[:3]))
    assert [answer.error for answer in found] == [None] * 3
    assert (
        found[0].predictions[0].label == bank.classify_file(files[0])[0].label
    )


def test_an_empty_bank(files):
    assert list(classify_files(AdapterBank(), files)) == []
