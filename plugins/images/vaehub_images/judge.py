"""What the plugin has to say of a trained model: metrics and the picture book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from vaehub import Judge, TrainedModel

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@final
class ImageJudge(Judge):
    """Judges models of images."""

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Reconstruction error, how well the codes tell the classes apart, and how many conditional samples are recognised."""
        from vaehub_images.metrics import image_metrics

        return image_metrics(run, split)

    def figures(self, run: TrainedModel) -> Mapping[str, Figure]:
        """The picture book of a run, by title."""
        from vaehub_images.figures import picture_book

        return picture_book(run)
