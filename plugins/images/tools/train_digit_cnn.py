"""Train the classifier of digits that ships (data/digit_cnn.safetensors) and write the note beside it. Usage: python train_digit_cnn.py

Deterministic: seed 0, one thread. Digits are shifted by up to two pixels, so that samples a little off centre are recognised too.
"""

import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

import vaehub_images
from vaehub_images.features import DigitClassifier
from vaehub_images.mnist import MNIST

EPOCHS, BATCH, LEARNING_RATE, SHIFT = 5, 128, 3e-3, 2
DATA = Path(vaehub_images.__file__).parent / "data"
NOTE = """# digit_cnn.safetensors

A classifier of 28 x 28 grey digits ({parameters:,} parameters): convolutions of 16, 32 and 64 maps with max-pooling, two dense layers.
Trained by `tools/train_digit_cnn.py` (seed 0, one thread, {epochs} epochs, {seconds:.0f} s of CPU time) on the first 50,000 training images of MNIST,
shifted by up to {shift} pixels. It uses no test image.

| split | accuracy |
|---|---|
| validation (last 10,000 training images) | {val:.2%} |
| test (10,000) | {test:.2%} |

It serves as the feature network `digit_cnn` and tells which digit a sample shows. The weights are learnt from MNIST: see ATTRIBUTION.md.
"""


def shifted(x: torch.Tensor) -> torch.Tensor:
    """The images of a batch, all moved by the same few pixels."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist()
    return x.roll((down, right), (-2, -1))


def train(network: DigitClassifier) -> None:
    """Adam with a one-cycle schedule."""
    data = MNIST().data("train")
    steps = EPOCHS * -(-len(data) // BATCH)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
    for _ in range(EPOCHS):
        for index in torch.randperm(len(data)).split(BATCH):
            loss = F.cross_entropy(network(shifted(data[index].x)), data.labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def accuracy(network: DigitClassifier, split: str) -> float:
    """The fraction of a split that is recognised."""
    data = MNIST().data(split)
    return (network(data[torch.arange(len(data))].x).argmax(-1) == data.labels).double().mean().item()


def main() -> None:
    """Train, save, note."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, start = DigitClassifier(), time.process_time()
    train(network)
    seconds = time.process_time() - start
    save_file(network.state_dict(), DATA / "digit_cnn.safetensors")
    figures = {split: accuracy(network, split) for split in ("val", "test")}
    parameters = sum(p.numel() for p in network.parameters())
    (DATA / "digit_cnn.md").write_text(NOTE.format(parameters=parameters, epochs=EPOCHS, seconds=seconds, shift=SHIFT, **figures))
    print(figures, f"{seconds:.0f} s of CPU time")


if __name__ == "__main__":
    main()
