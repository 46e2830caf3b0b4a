"""ArtefactLoader: SpeechBrain's interfaces load artefacts strictly."""

import json
import warnings

import pytest
from speechbrain_petl.artefacts.pretrainer import say_that_it_executes
from speechbrain_petl.inference.classifier import PETLClassifier

from speechbrain.inference.classifiers import EncoderClassifier


@pytest.fixture(scope="module")
def artefact(make_artefact, tmp_path_factory):
    """An artefact."""
    folder = tmp_path_factory.mktemp("pretrainer") / "artefact"
    make_artefact(folder, "linear")
    return folder


def test_the_other_way_says_once_that_it_executes(artefact, tiny_folder):
    say_that_it_executes.cache_clear()
    options = {"overrides": {"source": tiny_folder}}
    with pytest.warns(UserWarning, match="from_artefact, AdapterBank and"):
        PETLClassifier.from_hparams(str(artefact), **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        PETLClassifier.from_hparams(str(artefact), **options)
    say_that_it_executes.cache_clear()
    with pytest.warns(UserWarning, match="can be any code"):
        EncoderClassifier.from_hparams(str(artefact), **options)


def test_a_savedir_is_of_one_artefact(
    artefact, make_artefact, tmp_path, tiny_folder
):
    """SpeechBrain would take the files of the first one without a word."""
    make_artefact(tmp_path / "other", "linear", labels="vwxyz")
    options = {
        "overrides": {"source": tiny_folder},
        "savedir": str(tmp_path / "saved"),
    }
    for _ in range(2):
        found = PETLClassifier.from_hparams(str(artefact), **options)
        assert len(found.hparams.label_encoder) == 3
    note = json.loads((tmp_path / "saved" / "source.json").read_text())
    assert note["source"] == str(artefact.resolve())
    with pytest.raises(ValueError, match="already holds the files of .*artefa"):
        PETLClassifier.from_hparams(str(tmp_path / "other"), **options)


def test_a_yaml_of_another_artefact_is_refused(
    make_artefact, tmp_path, tiny_folder
):
    folder = tmp_path / "artefact"
    make_artefact(folder, "linear")
    digest = json.loads((folder / "artefact.json").read_text())["tensors"]
    yaml = (folder / "hyperparams.yaml").read_text()
    changed = yaml.replace(digest["sha256"], "0" * 64)
    assert changed != yaml
    (folder / "hyperparams.yaml").write_text(changed)
    with pytest.raises(ValueError, match="belongs to this artefact's hyperpar"):
        PETLClassifier.from_hparams(
            str(folder), overrides={"source": tiny_folder}
        )
