"""Data preparation for IEMOCAP: emotions of ten actors in five sessions.

The corpus: https://sail.usc.edu/iemocap/. Its license has to be asked for
there, so nothing is downloaded here. As most do, four classes are kept:
neutral, happy (excited included), sad and angry.
"""

from collections.abc import Iterable
from pathlib import Path

from speechbrain_petl.dataio.corpus import require_corpus, warn_if_excerpt
from speechbrain_petl.dataio.manifests import Clip, write_manifests
from speechbrain_petl.dataio.protocols import rotate

HOMEPAGE = "https://sail.usc.edu/iemocap/"
SESSIONS = range(1, 6)
EVALUATIONS = "dialog/EmoEvaluation"
CLASSES = {"neu": "neu", "hap": "hap", "exc": "hap", "sad": "sad", "ang": "ang"}
OTHERS = {"fru", "sur", "fea", "dis", "oth", "xxx"}
N_CLIPS = {"neu": 1708, "hap": 1636, "sad": 1084, "ang": 1103}
N_SPEAKERS = 10

#: Session held out, speaker that validates and speaker that tests, of each
#: fold: the order of github.com/umbertocappellazzo/PETL_AST.
SPEAKER_FOLDS = [
    (session, *sexes) for session in (5, 1, 2, 3, 4) for sexes in ("FM", "MF")
]


def prepare_iemocap(
    data_folder: str,
    manifest_folder: str,
    test_fold: int = 1,
    protocol: str = "speaker",
    skip_bad_audio: bool = False,
) -> None:
    """Writes ``train.json``, ``valid.json``, ``test.json``, and the label map.

    Classes are in the order neu, hap, sad, ang. An excerpt of the corpus is
    fine, with a warning.

    Arguments
    ---------
    data_folder : str
        The corpus, ``IEMOCAP_full_release``, with ``Session1`` to
        ``Session5`` in it. It is only read.
    manifest_folder : str
        Where to write.
    test_fold : int
        Fold to test on, 1 to 10 (``speaker``) or 1 to 5 (``session``).
    protocol : str
        ``speaker``: of one session one speaker validates and the other, who
        talks with them, tests; the other sessions train. ``session``: one
        session tests, the one before it, cyclically, validates.
    skip_bad_audio : bool
        Leave out missing, unreadable and empty files instead of stopping.

    Raises
    ------
    ValueError
        If the protocol or fold does not exist, or an evaluation is malformed.

    Example
    -------
    >>> prepare_iemocap(  # doctest: +SKIP
    ...     "/data/IEMOCAP_full_release", "results/save", test_fold=10
    ... )
    """
    speakers = choose_speakers(test_fold, protocol)
    remedy = (
        "give the folder that holds Session1 to Session5 as data_folder; the "
        f"corpus is to be asked for at {HOMEPAGE}."
    )
    corpus = require_corpus(data_folder, [], "IEMOCAP", remedy)
    sessions = [k for k in SESSIONS if (corpus / f"Session{k}").is_dir()]
    files = [f"Session{k}/{EVALUATIONS}" for k in sessions or SESSIONS]
    require_corpus(corpus, files, "IEMOCAP", remedy)
    clips = [clip for k in sessions for clip in read_session(corpus, k)]
    splits = {
        split: [c for c in clips if c.extra["speaker"] in chosen]
        for split, chosen in speakers.items()
    }
    sizes = {
        f"utterances of {label}": (sum(c.label == label for c in clips), n)
        for label, n in N_CLIPS.items()
    }
    found = {c.extra["speaker"] for c in clips}
    sizes["speakers"] = (len(found), N_SPEAKERS)
    warn_if_excerpt("IEMOCAP", corpus, sizes)
    labels = [
        label for label in N_CLIPS if any(c.label == label for c in clips)
    ]
    write_manifests(manifest_folder, corpus, splits, labels, skip_bad_audio)


def choose_speakers(test_fold: int, protocol: str) -> dict[str, set[str]]:
    """Decides which speakers train, validate and test.

    Arguments
    ---------
    test_fold, protocol
        As for ``prepare_iemocap``.

    Returns
    -------
    dict of str to set of str
        Speakers such as ``5F``, the woman of session 5, by split.

    Example
    -------
    >>> speakers = choose_speakers(1, "speaker")
    >>> speakers["valid"], speakers["test"]
    ({'5F'}, {'5M'})
    """
    everyone = {f"{session}{sex}" for session in SESSIONS for sex in "FM"}
    if protocol == "session":
        folds = zip(
            ("train", "valid", "test"), rotate(test_fold, len(SESSIONS))
        )
        return {
            split: {
                speaker for speaker in everyone if int(speaker[0]) in chosen
            }
            for split, chosen in folds
        }
    if protocol != "speaker":
        raise ValueError(
            f"protocol is {protocol!r}: give one of speaker, session."
        )
    if test_fold not in range(1, N_SPEAKERS + 1):
        raise ValueError(
            f"test_fold is {test_fold!r}, but the folds of the protocol "
            f"speaker are 1 to {N_SPEAKERS}: give one of these numbers."
        )
    session, valid, test = SPEAKER_FOLDS[test_fold - 1]
    held_out = {"valid": {f"{session}{valid}"}, "test": {f"{session}{test}"}}
    return {"train": everyone - set().union(*held_out.values()), **held_out}


def read_session(corpus: Path, session: int) -> Iterable[Clip]:
    """Reads the evaluations of a session.

    Arguments
    ---------
    corpus : Path
        The corpus.
    session : int
        Which one.

    Yields
    ------
    Clip
        The utterances of the four classes.

    Raises
    ------
    ValueError
        If there is no evaluation, or a line is malformed.
    """
    folder = corpus / f"Session{session}" / EVALUATIONS
    # Beside them lie files of macOS, such as ._Ses01F_impro01.txt.
    files = sorted(folder.glob("Ses*.txt"))
    if not files:
        raise ValueError(
            f"{folder} holds no evaluation such as Ses0{session}F_impro01.txt: "
            "restore the original files."
        )
    for file in files:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            if line.startswith("["):
                cells = line.split("\t")
                if not well_formed(cells, session):
                    raise ValueError(
                        f"{file}, line {number}: {line[:80]!r} is no "
                        "evaluation, which is a time, an utterance, an emotion "
                        "and three ratings; restore the original file."
                    )
                if cells[2] in CLASSES:
                    yield clip(cells[1], cells[2])


def well_formed(cells: list[str], session: int) -> bool:
    """Returns True if a line's cells are an evaluation of a session.

    Example
    -------
    >>> well_formed(["[0 - 1]", "Ses01F_impro01_M000", "neu", "[2, 2, 2]"], 1)
    True
    """
    return (
        len(cells) == 4
        and cells[1].startswith(f"Ses0{session}")
        and cells[1].count("_") >= 2
        and cells[1].rpartition("_")[2][:1] in ("F", "M")
        and cells[2] in OTHERS.union(CLASSES)
    )


def clip(utterance: str, emotion: str) -> Clip:
    """Describes an utterance.

    Its last part begins with the sex of who speaks; the letter before it in
    the name is that of who wore the markers.

    Arguments
    ---------
    utterance : str
        Such as ``Ses01F_impro01_M000``.
    emotion : str
        A key of ``CLASSES``.

    Returns
    -------
    Clip

    Example
    -------
    >>> found = clip("Ses01F_script01_2_M003", "exc")
    >>> found.label, found.extra["speaker"]
    ('hap', '1M')
    >>> found.path
    'Session1/sentences/wav/Ses01F_script01_2/Ses01F_script01_2_M003.wav'
    """
    dialog, _, turn = utterance.rpartition("_")
    session = int(utterance[4])
    return Clip(
        id=utterance,
        path=f"Session{session}/sentences/wav/{dialog}/{utterance}.wav",
        label=CLASSES[emotion],
        extra={"speaker": f"{session}{turn[0]}", "emotion": emotion},
    )
