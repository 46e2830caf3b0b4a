"""EER and minDCF of a list of trials, beside SpeechBrain's.

Scores of as many target trials as others, drawn from two normal distributions
1.5 apart, in single precision. SpeechBrain's `EER` compares all scores with
one threshold after the other: the first table is of 37,720 trials, those of
VoxCeleb1-O. Its `minDCF` compares all with all at once, which takes 13 n^2
bytes: 5 GB for the 20,000 trials of the second table, and 4 TB for
those of VoxCeleb1-E, the longest list. Ours sort once. `clips/s` are trials;
`difference` is from SpeechBrain's result.
"""

from benchmarks.measure import Contender

HERE = "benchmarks.verification_metrics"
PAIRED = {"EER": 37_720, "minDCF": 20_000}  # trials that both can take
LISTS = {"VoxCeleb1-O": 37_720, "VoxCeleb1-E": 581_480}


def draw(trials):
    """Scores of target trials and of others."""
    import torch

    generator = torch.Generator().manual_seed(0)
    half = trials // 2
    return (
        torch.randn(half, generator=generator) + 1.5,
        torch.randn(trials - half, generator=generator),
    )


def ours(metric, trials, compared, device):
    """The library's, as SpeechBrain defines the metric."""
    from speechbrain_petl.training.metrics import verification

    scores, found = draw(trials), []

    def run():
        if metric == "EER":
            value, _ = verification.equal_error_rate(*scores, interpolate=False)
        else:
            value, _ = verification.min_dcf(*scores, normalize=False)
        found[:] = [value]

    run()
    facts = {"clips": trials, "opaque": True}
    if compared:
        facts["difference"] = abs(found[0] - theirs(metric, trials))
    return run, facts


def theirs(metric, trials):
    """SpeechBrain's result."""
    from speechbrain.utils import metric_stats

    return getattr(metric_stats, metric)(*draw(trials))[0]


def speechbrain(metric, trials, compared, device):
    """SpeechBrain's function."""
    from speechbrain.utils import metric_stats

    function, scores = getattr(metric_stats, metric), draw(trials)
    return lambda: function(*scores), {"clips": trials, "opaque": True}


def groups(options) -> dict[str, list[Contender]]:
    """What is compared with what."""

    def contender(name, make, metric, trials, compared=False, size=None):
        facts = {"metric": metric, "trials": trials, "compared": compared}
        return Contender(
            name, f"{HERE}:{make}", {**facts, "device": "cpu"}, size=size
        )

    found = {}
    for metric, trials in PAIRED.items():
        trials = 200 if options.smoke else trials
        found[metric] = [
            contender("SpeechBrain", "speechbrain", metric, trials),
            contender("ours", "ours", metric, trials, compared=True),
        ]
    for metric in PAIRED:
        found[f"{metric} of whole lists"] = [
            contender(f"{name}, {n:,} trials", "ours", metric, n, size=n)
            for name, n in LISTS.items()
        ]
    return found
