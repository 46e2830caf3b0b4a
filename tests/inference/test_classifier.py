"""PETLClassifier: files, batches, SpeechBrain's own interfaces."""

import numpy as np
import pytest
import soundfile
import torch
from speechbrain_petl.dataio.windows import cut
from speechbrain_petl.inference.classifier import PETLClassifier

from speechbrain.inference.classifiers import EncoderClassifier
from speechbrain.inference.interfaces import foreign_class
from speechbrain.utils.fetching import LocalStrategy


@pytest.fixture(scope="module")
def folder(make_artefact, tmp_path_factory):
    """An artefact."""
    folder = tmp_path_factory.mktemp("inference") / "artefact"
    make_artefact(folder)
    return str(folder)


@pytest.fixture(scope="module")
def overrides(tiny_folder):
    """Where the backbone is."""
    return {"source": tiny_folder}


@pytest.fixture(scope="module")
def classifier(folder, overrides):
    """The artefact, loaded."""
    return PETLClassifier.from_hparams(folder, overrides=overrides)


def noise(n, seed=0):
    """A waveform [n]."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, generator=generator) - 0.5


@pytest.fixture
def wav(tmp_path):
    """Writes audio files."""

    def write(name, samples, rate=16000, **options):
        path = tmp_path / name
        soundfile.write(path, np.asarray(samples), rate, **options)
        return str(path)

    return write


def test_a_batch(classifier):
    out, score, index, labels = classifier.classify_batch(
        torch.stack([noise(7000), noise(7000, 1)])
    )
    assert out.shape == (2, 3) and score.shape == index.shape == (2,)
    assert torch.allclose(out.exp().sum(1), torch.ones(2))
    assert torch.equal(score, out.max(1).values)
    assert labels == ["abc"[i] for i in index]
    assert not out.requires_grad


def test_padding_changes_nothing(classifier):
    short, long = noise(3000), noise(7000, 1)
    padded = torch.stack([torch.nn.functional.pad(short, (0, 4000)), long])
    both = classifier.classify_batch(padded, torch.tensor([3 / 7, 1.0]))[0]
    assert torch.allclose(
        both[0], classifier.classify_batch(short)[0][0], atol=1e-5
    )
    assert torch.allclose(
        both[1], classifier.classify_batch(long)[0][0], atol=1e-5
    )


def test_embeddings(classifier):
    assert classifier.encode_batch(noise(7000)).shape[:-1] == (1,)
    unit = classifier.encode_batch(noise(7000), normalize=True)
    assert unit.norm().item() == pytest.approx(1)


def test_any_file(classifier, wav):
    samples = noise(7000)
    mono = classifier.classify_file(wav("a.wav", samples, subtype="FLOAT"))[0]
    assert torch.equal(mono, classifier.classify_batch(samples)[0])
    stereo = torch.stack([samples, samples], 1)
    same = classifier.classify_file(wav("b.wav", stereo, subtype="FLOAT"))[0]
    assert torch.allclose(same, mono, atol=1e-6)
    for rate in (8000, 44100):
        resampled = classifier.classify_file(wav(f"{rate}.flac", samples, rate))
        assert resampled[0].isfinite().all()
    one = classifier.classify_file(wav("one.wav", samples[:1]))[0]
    assert one.isfinite().all()


def test_a_long_file_is_averaged_over_windows(classifier, wav):
    size = 47 * 160 + 400
    samples = noise(3 * size - 1000)
    found = classifier.classify_file(wav("long.wav", samples, subtype="FLOAT"))
    middle = round((len(samples) - size) / 2)
    windows = [samples[:size], samples[middle:][:size], samples[-size:]]
    alone = torch.stack([classifier.classify_batch(w)[0][0] for w in windows])
    expected = alone.exp().mean(0).log()
    assert torch.allclose(found[0][0], expected, atol=1e-5)
    assert found[3] == ["abc"[expected.argmax()]]


@pytest.mark.parametrize("n", [1, 7920, 8079, 8080, 20000, 7920 * 40 + 1])
def test_windows_cover_a_clip(classifier, n):
    front_end = classifier.mods.compute_features
    windows = cut(torch.arange(n), front_end)
    covered = torch.unique(windows)
    assert len(covered) == n
    if len(windows) == 1:
        assert front_end.n_frames(torch.tensor(n)) <= 48


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "There is no file"),
        (b"Not audio.\n", "cannot be read as audio"),
        (b"", "cannot be read as audio"),
    ],
)
def test_bad_files_are_named(classifier, tmp_path, content, message):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{message}|bad.wav"):
        classifier.classify_file(str(path))


def test_a_file_without_samples(classifier, wav):
    with pytest.raises(ValueError, match="no sample"):
        classifier.classify_file(wav("empty.wav", np.zeros(0)))


def test_speechbrain_loads_it_too(classifier, folder, overrides, tmp_path, wav):
    path = wav("a.wav", noise(7000))
    expected = classifier.classify_file(path)
    plain = EncoderClassifier.from_hparams(
        folder, overrides=overrides, savedir=tmp_path / "save"
    )
    foreign = foreign_class(folder, overrides=overrides)
    for loaded in (plain, foreign):
        found = loaded.classify_file(path)
        assert torch.equal(found[0], expected[0])
        assert torch.equal(found[2], expected[2]) and found[3] == expected[3]


@pytest.mark.parametrize(
    "strategy", [LocalStrategy.SYMLINK, LocalStrategy.COPY]
)
def test_a_savedir_is_of_one_artefact(
    make_artefact, folder, overrides, tmp_path, strategy
):
    options = {"overrides": overrides, "local_strategy": strategy}
    load = PETLClassifier.from_hparams
    for _ in range(2):
        load(folder, savedir=tmp_path / "save", **options)
    make_artefact(tmp_path / "other", labels="xyz")
    with pytest.raises(ValueError, match="savedir .* of its own"):
        load(str(tmp_path / "other"), savedir=tmp_path / "save", **options)


def test_a_savedir_behind_its_source_is_noticed(
    make_artefact, overrides, tmp_path
):
    source, save = tmp_path / "artefact", tmp_path / "save"
    options = {"overrides": overrides, "local_strategy": LocalStrategy.COPY}
    make_artefact(source)
    PETLClassifier.from_hparams(str(source), savedir=save, **options)
    (save / "petl.safetensors").unlink()
    make_artefact(source, labels="vwxyz")
    with pytest.raises(ValueError, match="SHA-256 is another"):
        PETLClassifier.from_hparams(str(source), savedir=save, **options)


LOUD = 3e29  # finite, but its power is not


def test_an_output_that_is_not_finite_is_refused(classifier, wav):
    path = wav("loud.wav", noise(7000) * LOUD, subtype="FLOAT")
    with pytest.raises(ValueError, match="loud.wav"):
        classifier.classify_file(path)
    batch = torch.stack([noise(7000), noise(7000) * LOUD])
    for method in (classifier.classify_batch, classifier.encode_batch):
        with pytest.raises(ValueError, match="clip 1 .*is not finite"):
            method(batch)


def test_from_artefact_is_the_same(classifier, folder, tiny_folder, wav):
    safe = PETLClassifier.from_artefact(folder, backbone=tiny_folder)
    path = wav("a.wav", noise(70000))
    expected, found = classifier.classify_file(path), safe.classify_file(path)
    assert torch.equal(found[0], expected[0]) and found[3] == expected[3]
    assert torch.equal(
        safe.encode_batch(noise(7000)), classifier.encode_batch(noise(7000))
    )
    rough = PETLClassifier.from_artefact(
        folder, backbone=tiny_folder, precision="bf16"
    )
    near = rough.classify_file(path)[0]
    assert torch.allclose(near, expected[0], atol=0.25)
    assert not torch.equal(near, expected[0])
