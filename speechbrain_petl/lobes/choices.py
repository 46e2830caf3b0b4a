"""The names that options of backbones, front ends and learners may have.

They stand apart from what they name, so that an artefact is read and shown
without torch.
"""

#: ``position_embeddings`` of AST, see ``lobes.ast``.
POSITIONS = ("resize", "zeros")
#: ``pooling`` of AST.
AST_POOLINGS = ("mean", "cls", "cls_dist", "patches", "prompts", "not_special")
#: ``pooling`` of the other families, see ``lobes.pooling``.
POOLINGS = ("mean", "mean_std")
#: ``shorter`` and ``longer`` of waveforms, see ``lobes.waveforms``.
SHORTER = ("repeat", "zeros")
LONGER = ("first", "random", "random_always")
#: ``reads`` of learners, see ``lobes.learners``.
READS = ("pooled", "tokens")
