"""Data preparation for VoxCeleb1: verifying speakers by trials.

The corpus: https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html (CC BY
4.0). Access has to be asked for there, so nothing is downloaded here.

The layout, and ids such as ``id10001--1zcIwhmdeo4--00001``, are those of
SpeechBrain's ``recipes/VoxCeleb/voxceleb_prepare.py``. That one cuts
utterances into chunks of three seconds and by default validates on speakers
that train; here whole utterances are listed, cropped when they are read, and
speakers are held out to validate on trials like those of the test.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.draw_trials import draw_trials, hold_out_speakers
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.trials import (
    Trial,
    keep_trials,
    read_voxceleb_list,
    write_trials,
)
from speechbrain_petl.utils.messages import name_some

AUDIO = "wav"
SUFFIXES = {".wav", ".flac", ".ogg"}
N_SPEAKERS = {"training": 1211, "test": 40}
N_UTTERANCES = {"training": 148642, "test": 4874}
N_HELD_OUT = 40  # as many as are tested
#: Trials of the published lists, and target trials among them.
N_TRIALS = {"veri_test.txt": (37720, 18860), "veri_test2.txt": (37611, 18802)}
#: The speakers that VoxCeleb1 keeps for tests, also where a list is cut.
TEST_SPEAKERS = {f"id{number}" for number in range(10270, 10310)}


def prepare_voxceleb(
    data_folder: str,
    manifest_folder: str,
    trials: str = "veri_test2.txt",
    valid_speakers: int | None = None,
    valid_trials: int = 4000,
    draw: int = 0,
    skip_bad_audio: bool = False,
) -> None:
    """Writes manifests, lists of trials and the label map.

    ``train.json`` has the utterances of the training speakers, who are the
    classes. ``valid.json`` and ``test.json`` have the utterances that
    ``valid_trials.csv`` and ``test_trials.csv`` pair, see ``read_trials``. No
    speaker is in two of them. An excerpt is fine, with a warning.

    Arguments
    ---------
    data_folder : str
        The corpus: ``wav/<speaker>/<video>/<utterance>.wav`` of both parts,
        development and test, and the list of trials. It is only read.
    manifest_folder : str
        Where to write.
    trials : str
        The test's list in ``data_folder``: ``veri_test2.txt``, which is
        cleaned, or ``veri_test.txt``, the original one, as in arXiv
        2211.02227.
    valid_speakers : int, optional
        How many of the training speakers are held out to validate on; by
        default 40, of an excerpt a third of them at most. With 0
        all of them train, as in the paper; ``valid.json`` has no entries and
        there is no ``valid_trials.csv``: the last epoch must be tested.
    valid_trials : int
        How many trials to draw of them, half of each kind.
    draw : int
        Which speakers are held out, and which trials are drawn: a seed.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files, and their trials,
        instead of stopping.

    Raises
    ------
    ValueError
        If a file has no place in the layout, the list is malformed or names
        absent files, or too few speakers are left to train or validate on.

    Example
    -------
    >>> prepare_voxceleb("/data/VoxCeleb1", "results/save")  # doctest: +SKIP
    """
    corpus = require_corpus(
        data_folder,
        [AUDIO, trials],
        "VoxCeleb1",
        "give the folder that holds wav and the list of trials as "
        "data_folder; the corpus is to be asked for at "
        "https://www.robots.ox.ac.uk/~vgg/data/voxceleb/vox1.html.",
    )
    listed = read_voxceleb_list(corpus / trials)
    parts = share_out(find_utterances(corpus), listed, corpus / trials)
    _warn_of_counts(corpus, trials, listed, parts)
    if valid_speakers is None:
        valid_speakers = affordable(len(parts["training"]))
    training, held_out = hold_out_speakers(
        parts["training"], valid_speakers, draw
    )
    drawn = draw_trials(held_out, valid_trials, draw) if held_out else []
    pairs = {"valid": drawn, "test": listed}
    splits = {"train": [clip(f) for said in training.values() for f in said]}
    for split, some in pairs.items():
        files = sorted({file for trial in some for file in trial[1:]})
        splits[split] = [clip(file) for file in files]
    write_manifests(
        manifest_folder,
        corpus,
        splits,
        sorted(training),
        skip_bad_audio,
        may_be_empty=() if held_out else ("valid",),
    )
    folder = Path(manifest_folder)
    for split, some in pairs.items():
        manifest = json.loads((folder / f"{split}.json").read_text("utf-8"))
        named = [Trial(t.target, *map(identify, t[1:])) for t in some]
        file = folder / f"{split}_trials.csv"
        file.unlink(missing_ok=True)  # of an earlier preparation
        if named:
            write_trials(file, keep_trials(named, manifest, split))


def find_utterances(corpus: Path) -> dict[str, list[str]]:
    """Finds the utterances of each speaker.

    Arguments
    ---------
    corpus : Path
        The corpus.

    Returns
    -------
    dict of str to list of str
        Files such as ``id10001/1zcIwhmdeo4/00001.wav``, sorted, by speaker.

    Raises
    ------
    ValueError
        If there is none, or a file lies elsewhere.
    """
    found: dict[str, list[str]] = {}
    stray = []
    for file in sorted((corpus / AUDIO).rglob("*")):
        if file.suffix.lower() in SUFFIXES and not file.name.startswith("."):
            parts = file.relative_to(corpus / AUDIO).parts
            name = "/".join(parts)
            owner = found.setdefault(parts[0], []) if len(parts) == 3 else stray
            owner.append(name)
    if stray or not found:
        raise ValueError(
            f"{corpus / AUDIO} should hold <speaker>/<video>/<utterance>.wav, "
            f"but holds {name_some(stray) or 'no audio file'}: restore the "
            "original folders."
        )
    return found


def share_out(
    utterances: dict[str, list[str]], listed: Sequence[Trial], file: Path
) -> dict[str, dict[str, list[str]]]:
    """Puts speakers into the training or the test part, never into both.

    Arguments
    ---------
    utterances : dict of str to list of str
        As from ``find_utterances``.
    listed : sequence of Trial
        The test's trials.
    file : Path
        Their list.

    Returns
    -------
    dict of str to dict
        Utterances by speaker, of ``training`` and ``test``.

    Raises
    ------
    ValueError
        If a trial says the contrary of its speakers' names, or hardly anyone
        is left to train on.
    """
    for trial in listed:
        one, other = (name.split("/")[0] for name in trial[1:])
        if trial.target != (one == other):
            raise ValueError(
                f"{file} has {int(trial.target)} for {trial.first} and "
                f"{trial.second}, which the names of the speakers contradict; "
                "restore the original file."
            )
    tested = {name.split("/")[0] for trial in listed for name in trial[1:]}
    tested |= TEST_SPEAKERS
    parts: dict[str, dict[str, list[str]]] = {"training": {}, "test": {}}
    for speaker, said in utterances.items():
        parts["test" if speaker in tested else "training"][speaker] = said
    if len(parts["training"]) < 2:
        raise ValueError(
            f"{file} tests all but {len(parts['training'])} of the "
            f"{len(utterances)} speakers, as VoxCeleb1-E and -H do, which "
            "leaves nobody to train on: give veri_test.txt or veri_test2.txt."
        )
    return parts


def affordable(n_speakers: int) -> int:
    """Returns how many of the training speakers are held out by default.

    Example
    -------
    >>> affordable(1211), affordable(12)
    (40, 4)
    """
    return min(N_HELD_OUT, n_speakers // 3)


def _warn_of_counts(corpus, trials, listed, parts):
    """Warns where the corpus, or a published list, has another size."""
    sizes = {}
    for part, found in parts.items():
        n_utterances = sum(map(len, found.values()))
        sizes[f"{part} speakers"] = (len(found), N_SPEAKERS[part])
        sizes[f"{part} utterances"] = (n_utterances, N_UTTERANCES[part])
    if trials in N_TRIALS:
        n_target = sum(trial.target for trial in listed)
        sizes[f"trials of {trials}"] = (len(listed), N_TRIALS[trials][0])
        sizes["target trials"] = (n_target, N_TRIALS[trials][1])
    warn_if_excerpt("VoxCeleb1", corpus, sizes)


def identify(file: str) -> str:
    """Returns the id of a file, as SpeechBrain does.

    Example
    -------
    >>> identify("id10001/1zcIwhmdeo4/00001.wav")
    'id10001--1zcIwhmdeo4--00001'
    """
    return str(Path(file).with_suffix("")).replace("/", "--")


def clip(file: str) -> Clip:
    """Describes an utterance, given as from ``find_utterances``."""
    return Clip(identify(file), f"{AUDIO}/{file}", file.split("/")[0])
