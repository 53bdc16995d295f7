"""What a recommender is worth: measures of its lists, beside popularity and EASE, with how sure they are."""

from vaehub_recommender.judge.baselines import ByEase, ByPopularity, Ranking
from vaehub_recommender.judge.judged import Judged
from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.judge.off_policy import OffPolicy
from vaehub_recommender.judge.protocols import evaluate, evaluate_run, judge
from vaehub_recommender.judge.splits_together import SplitsTogether, compare

__all__ = [
    "ByEase",
    "ByPopularity",
    "Judged",
    "OffPolicy",
    "Ranking",
    "SplitsTogether",
    "compare",
    "evaluate",
    "evaluate_run",
    "judge",
    "metrics",
]
