"""ArtefactLoader: what SpeechBrain's interfaces load an artefact through."""

import functools
import json
import os
import warnings
from pathlib import Path

from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from speechbrain_petl.artefacts.backbones import check_backbone
from speechbrain_petl.artefacts.format import LABELS, METADATA, TENSORS
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.lobes.backbone import Backbone
from speechbrain_petl.lobes.front_end import FrontEnd
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.utils.messages import printable
from torch import nn

from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.fetching import FetchConfig, LocalStrategy, fetch
from speechbrain.utils.parameter_transfer import Pretrainer

FILES = (METADATA, TENSORS, LABELS)


@functools.cache
def say_that_it_executes() -> None:
    """Warns, once a process, that ``from_hparams`` runs what a YAML names."""
    warnings.warn(
        "from_hparams constructs what the artefact's hyperparams.yaml names, "
        "which can be any code: use it for artefacts whose author you trust. "
        "PETLClassifier.from_artefact, AdapterBank and the command "
        "speechbrain-petl load the same artefact as data.",
        stacklevel=3,
    )


class ArtefactLoader(Pretrainer):
    """SpeechBrain's ``Pretrainer`` for artefacts, but strict.

    Any of SpeechBrain's interfaces loads an artefact through it, since
    ``hyperparams.yaml`` names it as the ``pretrainer``. It says once that
    this way of loading executes.

    Arguments
    ---------
    tensors : str
        SHA-256 of ``petl.safetensors``.
    backbone : Backbone
        As it came from its source.
    compute_features : FrontEnd
        The front end.
    encoder : PETLModel
        The adapted backbone, not yet trained.
    classifier : torch.nn.Module
        The head, not yet trained.
    label_encoder : CategoricalEncoder
        Empty.

    Raises
    ------
    ValueError
        On loading, if a file is missing or another artefact's, a tensor is
        missing, unexpected or misshapen, the label map is not the head's, the
        backbone is another, or the probe fails.
    """

    def __init__(
        self,
        tensors: str,
        backbone: Backbone,
        compute_features: FrontEnd,
        encoder: PETLModel,
        classifier: nn.Module,
        label_encoder: CategoricalEncoder,
    ):
        say_that_it_executes()
        super().__init__()
        self.tensors = tensors
        self.backbone = backbone
        self.compute_features = compute_features
        self.encoder = encoder
        self.classifier = classifier
        self.label_encoder = label_encoder

    def collect_files(
        self,
        default_source: str | None = None,
        local_strategy: LocalStrategy = LocalStrategy.SYMLINK,
        fetch_config: FetchConfig = FetchConfig(),
    ) -> dict:
        """Fetches the files from a folder or the hub, as ``Pretrainer``."""
        if default_source is not None and os.path.isdir(default_source):
            # Here, since in a savedir SpeechBrain puts links of its own.
            Artefact({n: Path(default_source, n) for n in FILES})
        self._claim(default_source, fetch_config.revision)
        self.paths = {
            name: _fetch(
                name,
                default_source,
                savedir=self.collect_in,
                local_strategy=local_strategy,
                fetch_config=fetch_config,
            )
            for name in FILES
        }
        return self.paths

    def _claim(self, source, revision):
        """Refuses a savedir that holds the files of another artefact.

        SpeechBrain would take those without a word.
        """
        if self.collect_in is None:
            return
        if os.path.isdir(source):
            source = os.path.realpath(source)
        note = self.collect_in / "source.json"
        ours = {"source": str(source), "revision": revision}
        if (self.collect_in / FILES[0]).exists():
            if self.collect_in.resolve() == Path(str(source)):
                return
            theirs = json.loads(note.read_text()) if note.exists() else {}
            if theirs != ours:
                raise ValueError(
                    f"savedir '{self.collect_in}' already holds the files of "
                    f"'{theirs.get('source', 'another artefact')}', not of "
                    f"'{source}': give each artefact a savedir of its own."
                )
        note.write_text(json.dumps(ours))

    def load_collected(self) -> None:
        """Fills the modules and the label map, and checks the result."""
        files = {name: Path(path) for name, path in self.paths.items()}
        artefact = Artefact(files, links=True)
        metadata = artefact.metadata
        if self.tensors != metadata["tensors"]["sha256"]:
            raise ValueError(
                f"'{printable(files[TENSORS])}' is not the file that belongs "
                "to this artefact's hyperparams.yaml: its SHA-256 is another."
            )
        check_backbone(self.backbone, metadata["backbone"]["fingerprint"])
        self.label_encoder.update_from_iterable(metadata["labels"])
        self.label_encoder.expect_len(len(metadata["labels"]))
        artefact.fill(self.compute_features, self.encoder, self.classifier)


def _fetch(name, source, **options):
    """SpeechBrain's ``fetch``, with an error that says what is missing."""
    try:
        return fetch(name, source=source, **options)
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ValueError(
            f"'{source}' is neither a local artefact nor one that can be "
            f"fetched from the hub: there is no {name}. ({error})"
        ) from error
