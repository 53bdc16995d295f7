"""What a closed form cannot say of a cell: how its own channel behaves around it, read cell by cell.

Letters of shapes: B windows, T steps, C channels, n cells. Places are the three index tensors (n,) of cells in (B, T, C).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, final

import torch
from torch import Tensor, nn

LEAST_SD = 1e-4  # in scaled units, for the logarithm
FARTHEST = 6.0  # standard deviations, beyond which a value is no farther off
FEATURES = 15
Places: TypeAlias = tuple[Tensor, ...]


@final
class CellHead(nn.Module):
    """A network that is asked about single cells; it answers 0 before training.

    It reads the closed form's mean and sd, the two shown values of the channel before the cell and the two after it with their distances,
    the channel's mean, spread and number of shown values in the window, the place in the window, and the state of the cell's step in a
    network over time. So it can learn what is no linear function of the values: that a channel stands still and then jumps, that one value is
    an outlier, that how often a variable is measured says something of it. Distances to the last value are inputs in "Recurrent Neural
    Networks for Multivariate Time Series with Missing Values" (Che et al., 2018), doi:10.1038/s41598-018-24271-9, too.

    Arguments:
        channels: C.
        state: Width H of the states of the steps.
        width: Of the hidden layers.
    """

    def __init__(self, channels: int, state: int, width: int) -> None:
        super().__init__()
        self.enter = nn.Linear(FEATURES, width)
        self.of_state = nn.Linear(state, width, bias=False)
        self.of_channel = nn.Parameter(0.1 * torch.randn(channels, width))
        self.scale_of_channel = nn.Parameter(torch.zeros(channels, width))
        self.leave = nn.Sequential(nn.GELU(), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))
        for parameter in self.leave[-1].parameters():
            nn.init.zeros_(parameter)

    def forward(self, mean: Tensor, sd: Tensor, states: Tensor, places: Places) -> Tensor:
        """The answers (n,) about cells, from a belief (B, T, C) and the states (B, T, H)."""
        row, step, channel = places
        own = self.enter(cell_features(mean, sd, places).to(states.dtype))
        own = own * (1 + self.scale_of_channel[channel]) + self.of_channel[channel]
        answer: Tensor = self.leave(own + self.of_state(states)[row, step])
        return answer.squeeze(-1)


def spread(sd: Tensor) -> Tensor:
    """The logarithm of standard deviations, scaled to about unit size; 0 where a cell is shown."""
    return torch.where(sd > 0, 0.3 * sd.clamp(min=LEAST_SD).log() + 0.5, 0.0)


def cell_features(mean: Tensor, sd: Tensor, places: Places) -> Tensor:
    """What `CellHead` reads of a belief (B, T, C) about cells, (n, FEATURES); a cell whose sd is 0 is shown."""
    steps, (row, step, channel) = mean.shape[1], places
    centre, unit, shown = mean[places], sd[places].clamp(min=LEAST_SD), sd <= 0
    before = values_before(mean, shown, places)
    after = values_before(mean.flip(1), shown.flip(1), (row, steps - 1 - step, channel))
    beside = []
    for near, far in (before, after):
        for value in (near, far):
            beside.append(torch.where(value.there, (value.value - centre) / unit, 0.0).clamp(-FARTHEST, FARTHEST) / 2)
            beside.append(torch.where(value.there, 1 + value.distance, 1 + 2 * steps).log() / 2)
    near, other = before[0], after[0]
    apart = torch.where(near.there & other.there, (near.value - other.value).abs() / unit, 0.0).clamp(max=FARTHEST) / 2
    count = shown.sum(1)
    level = (mean * shown).sum(1) / count.clamp(min=1)
    deviation = ((mean.square() * shown).sum(1) / count.clamp(min=1) - level.square()).clamp(min=0).sqrt()
    channels = [level[row, channel] - centre, deviation[row, channel], count[row, channel] / steps]
    return torch.stack([centre / 3, spread(unit), step / steps, apart, *beside, *channels], -1)


class Shown(NamedTuple):
    """A shown value for each of n cells, the steps between, and whether there is one."""

    value: Tensor
    distance: Tensor
    there: Tensor


def values_before(values: Tensor, shown: Tensor, places: Places) -> tuple[Shown, Shown]:
    """The last shown value of the same channel before each cell, and the one before that."""
    row, step, channel = places
    last = torch.where(shown, torch.arange(shown.shape[1], device=shown.device).view(1, -1, 1), -1).cummax(1).values
    earlier = torch.nn.functional.pad(last[:, :-1], (0, 0, 1, 0), value=-1)
    near = earlier[places]
    far = torch.where(near >= 0, earlier[row, near.clamp(min=0), channel], -1)
    found = [Shown(values[row, at.clamp(min=0), channel], step - at, at >= 0) for at in (near, far)]
    return found[0], found[1]
