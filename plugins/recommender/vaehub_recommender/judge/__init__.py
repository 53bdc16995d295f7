"""What a recommender is worth: measures of its lists, beside popularity and EASE, with how sure they are."""

from vaehub_recommender.judge.baselines import ByEase, ByPopularity, Ranking
from vaehub_recommender.judge.judged import Judged
from vaehub_recommender.judge.metrics import metrics
from vaehub_recommender.judge.protocols import evaluate, judge, judged_run
from vaehub_recommender.judge.splits_together import Several, compare

__all__ = ["ByEase", "ByPopularity", "Judged", "Ranking", "Several", "compare", "evaluate", "judge", "judged_run", "metrics"]
