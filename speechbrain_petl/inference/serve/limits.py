"""How much audio one request may bring."""

import os
from dataclasses import dataclass

import soundfile
from speechbrain_petl.dataio.audio import FAILURES, read_audio

from speechbrain.dataio.preprocess import AudioNormalizer

MEGABYTE = 1_000_000
# Samples a second of all channels together: two at 96 kHz
DENSEST = 2 * 96_000


@dataclass(frozen=True)
class Limits:
    """What is accepted of a visitor.

    Arguments
    ---------
    megabytes : float
        Largest file, in 10^6 bytes.
    seconds : float
        Longest recording.
    windows : int
        Most windows of a timeline.

    Raises
    ------
    ValueError
        If a number is not above 0.
    """

    megabytes: float = 50.0
    seconds: float = 600.0
    windows: int = 5_000

    def __post_init__(self):
        for name in ("megabytes", "seconds", "windows"):
            if not getattr(self, name) > 0:
                raise ValueError(f"The limit of {name} has to be above 0.")

    @property
    def bytes(self) -> int:
        """Largest file in bytes."""
        return int(self.megabytes * MEGABYTE)

    def check(self, path: str) -> None:
        """Refuses a file that is too large or too long, before it is decoded.

        Arguments
        ---------
        path : str
            Audio file.

        Raises
        ------
        ValueError
            If it is, or cannot be read.

        Example
        -------
        >>> path = str(getfixture("tmp_path") / "a.wav")
        >>> soundfile.write(path, [0.0] * 16000, 8000)
        >>> Limits(seconds=2.0).check(path)
        >>> Limits(seconds=1.5).check(path)
        Traceback (most recent call last):
        ...
        ValueError: '...a.wav' lasts 2.0 s, and more than 1.5 s are not taken here.
        """
        size = os.path.getsize(path)
        if size > self.bytes:
            raise ValueError(
                f"'{path}' has {size / MEGABYTE:.1f} MB, and more than "
                f"{self.megabytes:g} MB are not taken here."
            )
        try:
            info = soundfile.info(path)
        except FAILURES:  # the reader says what is wrong with it
            read_audio(path, AudioNormalizer(16000))
            raise
        seconds = info.frames / info.samplerate
        if seconds > self.seconds:
            raise ValueError(
                f"'{path}' lasts {seconds:.1f} s, and more than "
                f"{self.seconds:g} s are not taken here."
            )
        if info.frames * info.channels > self.seconds * DENSEST:
            raise ValueError(
                f"'{path}' has {info.channels} channels at {info.samplerate} "
                "Hz, more samples than are taken here: mix it down to one."
            )

    def check_windows(self, duration: float, hop: float) -> None:
        """Refuses a timeline of too many windows.

        Raises
        ------
        ValueError
            If it has more than ``windows``.
        """
        if duration / hop > self.windows:
            raise ValueError(
                f"A hop of {hop:g} s makes {duration / hop:,.0f} windows of "
                f"{duration:.1f} s, and more than {self.windows:,} are not "
                "computed here: give a longer hop."
            )
