"""Lists in another order: more diverse, closer to the user's own mixture, or less popular. Any of these can be combined."""

from vaehub_recommender.rerank.base import Cost, ItemFacts, Reranker, Shortlist, choose
from vaehub_recommender.rerank.calibration import Calibration
from vaehub_recommender.rerank.mmr import MMR
from vaehub_recommender.rerank.popularity_penalty import PopularityPenalty

__all__ = ["MMR", "Calibration", "Cost", "ItemFacts", "PopularityPenalty", "Reranker", "Shortlist", "choose"]
