"""An objective with a head of its own: a classifier on z that learns from the labels y that are known."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vaehub import Example, Logs, Model, Objective, Spec, Step, Terms, hookimpl


class SemiSupervised(Objective):
    """-ELBO + weight * cross-entropy of y, one-hot of `classes` classes or NaN where it is not known."""

    def __init__(self, *, classes: int = 2, weight: float = 5.0) -> None:
        super().__init__()
        self.classes, self.weight = classes, weight
        self.head: nn.Module = nn.LazyLinear(classes)

    def wire(self, vae: Model) -> None:
        if isinstance(self.head, nn.LazyLinear):
            self.head = nn.Linear(vae.encoder.posterior.latent, self.classes)

    def forward(self, terms: Terms, step: Step) -> tuple[Tensor, Logs]:
        elbo = terms.elbo.mean()
        logs = {"elbo": elbo.detach(), "log_px": terms.log_px.detach().mean(), "kl": terms.kl.detach().mean()}
        loss = -elbo
        if terms.batch.y is not None:
            known = ~terms.batch.y.isnan().any(-1)
            logits = self.head(terms.q.mean)
            cross = F.cross_entropy(logits[known], terms.batch.y[known]) if bool(known.any()) else logits.sum() * 0
            logs["cross_entropy"], loss = cross.detach(), loss + self.weight * cross
        return loss, logs

    def classify(self, z: Tensor) -> Tensor:
        """The likelier class (N,) of codes z (N, L)."""
        return torch.argmax(self.head(z), -1)

    @classmethod
    def example(cls) -> Example:
        return Example(spec=Spec((4,), targets=2))


@hookimpl
def vaehub_components() -> dict[str, str]:
    return {"objective/semi_supervised": ":SemiSupervised"}
