"""Every test sees the built-in parts and the toy domain; a test that needs an installed plugin says so itself.

A test that takes `device` or `on` runs on the CPU, and on a GPU where there is one: pytest -m gpu runs those alone.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from vaehub.host.registry import registry, use_file

TOY = Path(__file__).with_name("toy.py")
SMALL = {
    "domain": {"name": "toy"},
    "latent": 2,
    "encoder": {"name": "mlp", "hidden": [16]},
    "decoder": {"name": "mlp", "hidden": [16]},
}


GPU = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=GPU)])
def device(request):
    """Where a model is to be trained."""
    return torch.device(request.param)


@pytest.fixture
def on(device):
    """The option that trains on the device."""
    return f"trainer.accelerator={'gpu' if device.type == 'cuda' else 'cpu'}"


@pytest.fixture(scope="session", autouse=True)
def toy_parts():
    """Register the toy domain once."""
    torch.set_num_threads(1)
    if "domain/toy" not in registry().components:
        use_file(TOY)


@pytest.fixture
def small():
    """A config mapping that trains in a second: `small(latent=3, train={"epochs": 1})`."""

    def build(**changes):
        return {**SMALL, "train": {"epochs": 2, "batch_size": 64}, **changes}

    return build


@pytest.fixture(autouse=True)
def _warnings_of_others():
    """Deprecations inside Lightning are not ours to mend."""
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"pytorch_lightning|lightning_fabric|torch")
