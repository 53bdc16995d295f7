"""A model is compared with its file before memory and time are spent on it."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from vaehub.base import Kind, Spec
from vaehub.config.build import build_vae
from vaehub.config.load import load_config
from vaehub.errors import UsageError
from vaehub.files.model_file import open_model, save_model
from vaehub.files.rebuild import fits_on_meta, rebuilt
from vaehub.host.registry import registry

SPECS = (
    Spec((1, 8, 8)),
    Spec((40,), classes=12),
    Spec((2, 6)),
    Spec((2, 1)),
    Spec((2,), kinds=(Kind("real"), Kind("category", 3))),
)
CHOOSY = (  # want a condition or other parts beside them
    "decoder/catalogue",
    "decoder/ease",
    "decoder/item_knn",
    "decoder/linear",
    "decoder/sparse_linear",
    "prior/conditional_normal",
)
PARTS = sorted(key for key in registry().components if key.split("/")[0] not in ("domain", "judge", "objective", "features"))


def saved(path: Path, module: nn.Module):
    """The module's file, opened."""
    save_model(path, module.state_dict(), {})
    return open_model(path)


def vae_with(spec: Spec, **parts):
    """A VAE of the defaults but for these parts."""
    config = load_config({"domain": "toy", "latent": 2, **parts})
    return lambda: build_vae(config, spec)


@pytest.mark.parametrize("key", PARTS)
def test_every_part_comes_back_with_its_buffers(tmp_path, key):
    kind, name = key.split("/")
    built = 0
    for spec in SPECS:
        try:
            build = vae_with(spec, **{kind: name})
            vae = build()
        except UsageError:
            continue  # the part is for other data
        with torch.no_grad():
            for parameter in vae.parameters():
                parameter.normal_()
        again, _ = rebuilt(saved(tmp_path / "m", vae), build)
        buffers, weights = dict(vae.named_buffers()), vae.state_dict()
        assert all(torch.equal(tensor, weights[name]) for name, tensor in again.state_dict().items())
        assert all(torch.equal(tensor, buffers[name]) for name, tensor in again.named_buffers())
        built += 1
    assert built or key in CHOOSY


@pytest.mark.parametrize("parts", [{"prior": "flow"}, {"posterior": "iaf"}])
def test_a_part_that_reads_numbers_while_it_is_built_is_built_within_bounds(tmp_path, parts):
    build = vae_with(Spec((1, 8, 8)), **parts)
    file = saved(tmp_path / "m", build())
    assert not fits_on_meta(file, build)
    assert isinstance(rebuilt(file, build)[0], nn.Module)


HOSTILE = {
    "wide": {"encoder": {"name": "mlp", "hidden": [18000, 18000]}},
    "wider": {"encoder": {"name": "mlp", "hidden": [10**9, 10**9]}},
    "deep": {"encoder": {"name": "mlp", "hidden": [1] * 200_000}},
    "components": {"prior": {"name": "mixture", "components": 10**8}},
    "beyond 64 bits": {"prior": {"name": "mixture", "components": 10**30}},
    "flow of a billion layers": {"prior": {"name": "flow", "layers": 10**9}},
    "flow of 10^19 layers": {"prior": {"name": "flow", "layers": 10**19}},
    "wide flow": {"prior": {"name": "flow", "hidden": [40_000, 40_000]}},
    "wide flow of q": {"posterior": {"name": "iaf", "hidden": [60_000, 60_000]}},
    "flow of many bins": {"prior": {"name": "flow", "bins": 10**8}},
    "pseudo-inputs": {"prior": {"name": "vamp", "components": 10**8}},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_that_describes_a_huge_model_costs_little(tmp_path, name):
    file = saved(tmp_path / "m", vae_with(Spec((1, 8, 8)))())
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(UsageError, match="m: ") as caught:
        rebuilt(file, vae_with(Spec((1, 8, 8)), **HOSTILE[name]))
    assert "\n" not in str(caught.value)
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 * 2**10  # kilobytes


class Computed(nn.Module):
    """A weight, and a table that is computed when it is built and is not saved."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))
        self.register_buffer("table", torch.zeros(size, size), persistent=False)


def test_what_is_computed_and_not_saved_is_bounded_too(tmp_path):
    file = saved(tmp_path / "m", Computed(2))
    assert rebuilt(file, lambda: Computed(100))[0].table.shape == (100, 100)
    with pytest.raises(UsageError, match="far larger than its weights"):
        rebuilt(file, lambda: Computed(20_000))


class Reading(nn.Module):
    """A part that reads a number of a tensor while it is built, and then asks for another tensor."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3))
        steps = int(torch.tensor(size).item())
        self.table = torch.arange(float(steps))[:, None] * torch.rand(steps, generator=torch.Generator().manual_seed(0))


def test_a_part_that_cannot_be_built_on_meta_is_measured_operation_by_operation(tmp_path):
    file = saved(tmp_path / "m", Reading(2))
    assert rebuilt(file, lambda: Reading(1000))[0].table.shape == (1000, 1000)
    for size in (10_000, 10**12):
        with pytest.raises(UsageError, match=r"describes a tensor of .* bytes"):
            rebuilt(file, lambda size=size: Reading(size))


def test_registrations_of_another_thread_are_not_counted(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    file = saved(tmp_path / "m", nn.Linear(2, 2))

    def build():
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: [nn.Linear(1, 1) for _ in range(5000)]).result()
        return nn.Linear(2, 2)

    assert torch.equal(rebuilt(file, build)[0].weight, file.weights()["weight"])
