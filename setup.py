"""Installs speechbrain_petl; tools are configured in pyproject.toml."""

import itertools
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

REQUIRED = [
    # The newest releases of torch and torchaudio do not import together.
    "torch>=2.7.1,<2.12",
    "torchaudio>=2.7.1,<2.12",  # mel filters, SpecAugment, resampling
    "speechbrain>=1.1,<1.2",  # Brain, checkpoints, data pipeline
    "transformers>=5.9,<6",  # the backbone, with its names since 5.9
    "hyperpyyaml",  # recipes' YAML files
    "ruamel.yaml>=0.17.28,<0.19",  # plans; hyperpyyaml fails with 0.19
    "numpy",  # waveforms
    "scipy",  # resampling of unusual rates, statistics
    "scikit-learn",  # recall and confusion of a run, t-SNE
    "safetensors",  # what was trained, on disk
    "huggingface_hub",  # checkpoints and artefacts on the hub
    "pooch",  # corpora fetched and their checksums verified
    "filelock",  # one process downloads while others wait
    "requests",  # downloads that continue where they stopped
    "tqdm",  # progress of downloads
    "soundfile",  # audio files
    # speechbrain-petl train
    "jinja2",  # its report
    "markupsafe",
    "psutil",  # a run that hangs is ended with all it started
]

EXTRAS = {
    # python -m speechbrain_petl.experiments. Training, artefacts and the
    # command line need none of these; without matplotlib, a run says that it
    # leaves out the picture of its confusion matrix.
    "experiments": [
        "matplotlib",  # figures
        "optuna",  # search
        "submitit",  # --launcher submitit
    ],
    "tensorboard": ["tensorboard"],  # use_tensorboard: True
    "peft": ["peft"],  # PEFTLayer: DoRA, VeRA, IA3, ...; its file format
    # speechbrain-petl serve: the page, and the server that gradio brings
    "serve": ["gradio>=6.31,<7", "fastapi", "uvicorn"],
    # speechbrain-petl export: written by the first two, checked by the third
    "export": ["onnx", "onnx_ir", "onnxscript", "onnxruntime"],
}
DOCS = [
    "sphinx>=8.2",  # the site, as SpeechBrain's is made
    "myst-parser",  # of Markdown
    "furo",  # its look
    "sphinxcontrib-mermaid",  # drawings
]
EXTRAS["test"] = [
    "pytest>=8",
    "pytest-xdist",  # tests on all cores
    "hypothesis",
    "ruff==0.12.4",
    "yamllint==1.35.1",
    "codespell[toml]>=2.3",
    "mypy>=1.15",  # types of the library
    "PyYAML",  # reads recipes as SpeechBrain's own check does
    "types-requests",
    "types-tqdm",
    # The tests skip nothing that an extra would bring.
    *itertools.chain(*EXTRAS.values()),
]

# The recipe that ``speechbrain-petl train`` runs, as an installation has it
OWN_SOUNDS = "speechbrain_petl.recipes.AudioFolder"

setup(
    name="speechbrain-petl",
    version=(ROOT / "speechbrain_petl" / "version.txt").read_text().strip(),
    description="Parameter-efficient transfer learning of audio transformers "
    "with SpeechBrain",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    keywords="speech audio adapters lora peft speechbrain transformers",
    classifiers=[
        "Programming Language :: Python :: 3",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    packages=[
        *find_packages(include=["speechbrain_petl", "speechbrain_petl.*"]),
        OWN_SOUNDS,
    ],
    package_dir={OWN_SOUNDS: "recipes/AudioFolder"},
    package_data={
        OWN_SOUNDS: ["*.yaml", "*.md", "hparams/**/*.yaml"],
        "speechbrain_petl": [
            "py.typed",
            "version.txt",
            "demo/ast-mini/*",
            "**/*.yaml",
            "**/*.jinja",
            "**/*.csv",
            "**/*.json",
        ],
    },
    python_requires=">=3.10",
    install_requires=REQUIRED,
    extras_require={**EXTRAS, "docs": DOCS},
    entry_points={
        "console_scripts": ["speechbrain-petl = speechbrain_petl.cli.main:main"]
    },
)
