"""What the plugin has to say of a trained model: metrics and the picture book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, final

from vaehub import Judge, TrainedModel, report

if TYPE_CHECKING:
    pass


@final
class ImageJudge(Judge):
    """Judges models of images.

    Example:
        >>> sorted(ImageJudge.headline)
        ['knn_accuracy', 'recognised', 'reconstruction_mse']
    """

    headline: ClassVar[Mapping[str, str]] = {
        "reconstruction_mse": "mean square error of a pixel in 0 … 1, decoded from the mean of q(z|x)",
        "knn_accuracy": "share of test images whose class the 5 nearest codes of training images tell",
        "recognised": "share of samples by class in which a classifier sees that class",
    }

    def metrics(self, run: TrainedModel, split: str) -> Mapping[str, float]:
        """Reconstruction error, how well the codes tell the classes apart, and how many conditional samples are recognised."""
        from vaehub_images.metrics import image_metrics

        return image_metrics(run, split)

    def sections(self, run: TrainedModel) -> Sequence[report.Section]:
        """The picture book of a run."""
        from vaehub_images.report import picture_book

        return picture_book(run)
