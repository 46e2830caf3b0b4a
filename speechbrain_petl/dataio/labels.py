"""Label maps: the classes of a corpus, in their official order."""

from collections.abc import Iterable
from pathlib import Path

from speechbrain_petl.utils.files import replacing

from speechbrain.dataio.encoder import CategoricalEncoder

LABEL_MAP = "label_encoder.txt"
# What reading Python's literals raises of a file that has none
MALFORMED = (
    KeyError,
    ValueError,
    SyntaxError,
    IndexError,
    TypeError,
    RecursionError,
    MemoryError,
)


def load_label_encoder(path: str) -> CategoricalEncoder:
    """Reads the label map that the data preparation wrote.

    Arguments
    ---------
    path : str
        The label map.

    Returns
    -------
    CategoricalEncoder
        With indices from 0, none of them left out.

    Raises
    ------
    ValueError
        If it is missing or malformed.

    Example
    -------
    >>> path = str(getfixture("tmp_path") / "label_encoder.txt")
    >>> write_label_map(path, ["dog", "rooster"])
    >>> load_label_encoder(path).encode_label("rooster")
    1
    """
    encoder = CategoricalEncoder()
    try:
        encoder.load(path)
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no label map at '{path}': run the data preparation, "
            "which writes it beside the manifests."
        ) from error
    except MALFORMED as error:
        raise ValueError(f"'{path}' is no label map: {error}.") from error
    if not encoder.ind2lab or set(encoder.ind2lab) != set(range(len(encoder))):
        raise ValueError(
            f"'{path}' is no label map: its {len(encoder)} labels are not "
            "numbered from 0 on."
        )
    encoder.expect_len(len(encoder))
    return encoder


def index_of(label: str, label_encoder: CategoricalEncoder) -> int:
    """Returns the number of a label.

    Arguments
    ---------
    label : str
        The label, as a manifest has it.
    label_encoder : CategoricalEncoder
        The corpus's label map.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If the label map lacks it.

    Example
    -------
    >>> encoder = CategoricalEncoder()
    >>> encoder.update_from_iterable(["dog", "rooster"])
    >>> index_of("rooster", encoder)
    1
    """
    index = label_encoder.lab2ind.get(label)
    if index is None:
        raise ValueError(
            f"The label {label!r} is not in the label map of "
            f"{len(label_encoder)} labels: run the data preparation again, "
            "which writes both."
        )
    return index


def labels_by_index(pairs: Iterable[tuple[int, str]]) -> list[str]:
    """Sorts the classes by the numbers that the corpus gives them.

    Arguments
    ---------
    pairs : iterable of (int, str)
        Number and name of the class of each clip.

    Returns
    -------
    list of str
        Names of the classes that occur, sorted by number.

    Raises
    ------
    ValueError
        If a number has two names, or a name two numbers.

    Example
    -------
    >>> labels_by_index([(7, "crow"), (0, "dog"), (7, "crow")])
    ['dog', 'crow']
    """
    names: dict[int, str] = {}
    numbers: dict[str, int] = {}
    for number, name in pairs:
        if names.setdefault(number, name) != name:
            raise ValueError(
                f"Class {number} is called both {names[number]!r} and "
                f"{name!r} in the metadata: restore the original file."
            )
        if numbers.setdefault(name, number) != number:
            raise ValueError(
                f"Class {name!r} has both the numbers {numbers[name]} and "
                f"{number} in the metadata: restore the original file."
            )
    return [names[number] for number in sorted(names)]


def write_label_map(path: str | Path, labels: Iterable[str]) -> None:
    """Writes a label map for ``CategoricalEncoder.load``, numbered from 0.

    Arguments
    ---------
    path : str or Path
        File to write.
    labels : iterable of str
        Classes in their official order.

    Example
    -------
    >>> path = getfixture("tmpdir") / "label_encoder.txt"
    >>> write_label_map(path, ["dog", "rooster"])
    >>> from speechbrain.dataio.encoder import CategoricalEncoder
    >>> encoder = CategoricalEncoder.from_saved(path)
    >>> encoder.encode_label("rooster"), len(encoder)
    (1, 2)
    """
    encoder = CategoricalEncoder(starting_index=0)
    encoder.update_from_iterable(labels)
    with replacing(Path(path)) as temporary:
        encoder.save(temporary)
