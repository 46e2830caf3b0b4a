"""Installs speechbrain_petl; tools are configured in pyproject.toml."""

import itertools
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

# Upper bounds are the next releases that may break what is used: major ones,
# and the minor ones of torch and SpeechBrain, of which more is used.
REQUIRED = [
    # The newest releases of torch and torchaudio do not import together.
    "torch>=2.7.1,<2.12",
    "torchaudio>=2.7.1,<2.12",  # mel filters, SpecAugment, resampling
    "speechbrain>=1.1,<1.2",  # Brain, checkpoints, data pipeline
    "transformers>=5.9,<6",  # the backbone, with its names since 5.9
    "hyperpyyaml<2",  # recipes' YAML files
    "ruamel.yaml>=0.17.28,<0.19",  # plans; hyperpyyaml fails with 0.19
    "numpy<3",  # waveforms
    "scipy<2",  # resampling of unusual rates, statistics
    "scikit-learn<2",  # recall and confusion of a run, t-SNE
    "safetensors<1",  # what was trained, on disk
    "huggingface_hub<3",  # checkpoints and artefacts on the hub
    "pooch<2",  # corpora fetched and their checksums verified
    "filelock<5",  # one process downloads while others wait
    "requests<3",  # downloads that continue where they stopped
    "tqdm<5",  # progress of downloads
    "soundfile<1",  # audio files
    # speechbrain-petl train
    "jinja2<4",  # its report
    "markupsafe<4",
    "psutil<8",  # a run that hangs is ended with all it started
]

EXTRAS = {
    # speechbrain-petl experiments. Training, artefacts and the
    # command line need none of these; without matplotlib, a run says that it
    # leaves out the picture of its confusion matrix.
    "experiments": [
        "matplotlib<4",  # figures
        "optuna<6",  # search
        "submitit<2",  # --launcher submitit
    ],
    "tensorboard": ["tensorboard<3"],  # use_tensorboard: True
    "peft": ["peft<1"],  # PEFTLayer: DoRA, VeRA, IA3, ...; its file format
    # speechbrain-petl serve: the page, and the server that gradio brings
    "serve": ["gradio>=6.31,<7", "fastapi<1", "uvicorn<1"],
    # speechbrain-petl export: written by the first two, checked by the third
    "export": ["onnx<2", "onnx_ir<2", "onnxscript<1", "onnxruntime<2"],
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

# The recipes, as packages that an installation has
RECIPES = {
    f"speechbrain_petl.recipes.{script.parent.name}": f"recipes/{script.parent.name}"
    for script in sorted(ROOT.glob("recipes/*/train.py"))
}
RECIPE_FILES = [
    "*.yaml",
    "*.md",
    "*.csv",
    "*.txt",
    "hparams/**/*.yaml",
    "from_scratch/*.yaml",
]

setup(
    name="speechbrain-petl",
    version=(ROOT / "speechbrain_petl" / "version.txt").read_text().strip(),
    description="Parameter-efficient transfer learning of audio transformers "
    "with SpeechBrain",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords="speech audio adapters lora peft speechbrain transformers "
    "transfer-learning audio-classification",
    project_urls={
        "Methods": "https://arxiv.org/abs/2312.03694",
        "SpeechBrain": "https://speechbrain.github.io",
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "License :: OSI Approved :: Apache Software License",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Multimedia :: Sound/Audio :: Analysis",
        "Topic :: Multimedia :: Sound/Audio :: Speech",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    packages=[
        *find_packages(include=["speechbrain_petl", "speechbrain_petl.*"]),
        *RECIPES,
    ],
    package_dir=RECIPES,
    package_data={
        # Their folders of results, if there are any, stay behind.
        **dict.fromkeys(RECIPES, RECIPE_FILES),
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
