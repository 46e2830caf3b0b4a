"""A corpus of "emotions": the layout of IEMOCAP."""

from pathlib import Path

import numpy as np
from speechbrain_petl.demo.folders import whole_folder, write_wav
from speechbrain_petl.demo.voices import say

#: What the evaluations say: four classes, one merged into another, and two
#: that are usually left out.
EMOTIONS = ("neu", "hap", "exc", "sad", "ang", "fru", "xxx")
WORDS = {"neu": 0, "hap": 1, "exc": 1, "sad": 3, "ang": 4, "fru": 5, "xxx": 6}


def write_iemocap(
    folder: str | Path,
    sessions: int = 5,
    takes: int = 3,
    seconds: float = 2.0,
    sample_rate: int = 16000,
    seed: int = 1986,
) -> Path:
    """Writes a corpus in the layout of IEMOCAP.

    An emotion is a "word"; two speakers a session say them all in an
    improvised and a scripted dialog. As in the original, a file of macOS lies
    beside the evaluations.

    Arguments
    ---------
    folder: str or Path
        Where to: a new or empty folder, or one that was written here before.
    sessions: int
        Number of sessions, at most 5.
    takes: int
        How often a speaker says an emotion in a dialog.
    seconds: float
        Length of the longest utterances.
    sample_rate: int
        Samples a second.
    seed: int
        Same seed, same corpus.

    Returns
    -------
    Path
        The folder, with ``Session<k>/dialog/EmoEvaluation/*.txt`` and
        ``Session<k>/sentences/wav/<dialog>/<utterance>.wav``.
    """
    if not 1 <= sessions <= 5:
        raise ValueError(f"{sessions} sessions: there are 1 to 5")
    with whole_folder(folder, layout="iemocap", seed=seed) as new:
        for session in range(1, sessions + 1):
            root = new / f"Session{session}"
            evaluations = root / "dialog" / "EmoEvaluation"
            evaluations.mkdir(parents=True)
            for part, scene in enumerate(("impro01", "script01_1")):
                dialog = f"Ses0{session}F_{scene}"
                lines = [
                    "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"
                ]
                for who, sex in enumerate("FM"):
                    voice = np.random.default_rng([seed, session, who])
                    color = voice.uniform(-0.6, 0.6)
                    turns = [e for e in EMOTIONS for _ in range(takes)]
                    for turn, emotion in enumerate(turns):
                        rng = np.random.default_rng(
                            [seed, session, who, part, turn]
                        )
                        length = seconds * rng.uniform(0.6, 1)
                        wave = say(
                            rng,
                            [WORDS[emotion]],
                            color,
                            int(length * sample_rate),
                            sample_rate,
                        )
                        name = f"{dialog}_{sex}{turn:03}"
                        path = root / "sentences" / "wav" / dialog
                        write_wav(path / f"{name}.wav", wave, sample_rate)
                        start = turn * seconds
                        lines += [
                            "",
                            f"[{start:.4f} - {start + length:.4f}]\t{name}\t"
                            f"{emotion}\t[2.5000, 2.5000, 2.5000]",
                            "C-E1:\tNeutral;\t()",
                        ]
                file = evaluations / f"{dialog}.txt"
                file.write_text("\n".join(lines) + "\n")
            (evaluations / f"._{file.name}").write_bytes(b"\x00\x05\x16\x07")
    return Path(folder)
