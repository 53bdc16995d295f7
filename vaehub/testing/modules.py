"""What every part that is a torch module must satisfy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from vaehub.base import Prior
from vaehub.model.nets import MLPEncoder
from vaehub.model.posteriors import DiagNormal
from vaehub.testing.bench import Bench, around
from vaehub.testing.core import check, require
from vaehub.testing.measure import jitter, require_same
from vaehub.testing.networks import codes, figures
from vaehub.testing.settings import Setting

MODULES = ("encoder", "posterior", "decoder", "likelihood", "prior", "features")


def noise(*shape: int) -> Tensor:
    """The same noise for the same shape."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(3))


RESPONSES: dict[str, Callable[[Any, Setting], Tensor]] = {
    "encoder": lambda net, setting: figures(net, setting.batch, codes(len(setting.batch.x), net.posterior.latent)),
    "decoder": lambda net, setting: figures(net, setting.batch, codes(len(setting.batch.x), net.latent)),
    "posterior": lambda net, setting: net(noise(4, net.features)).log_prob(codes(4, net.latent)),
    "likelihood": lambda net, setting: net(noise(len(setting.batch.x), *net.param_shape)).log_prob(setting.batch.x),
    "prior": lambda net, setting: net(setting.batch.cond).log_prob(codes(len(setting.batch.x), net.latent)),
    "features": lambda net, setting: torch.cat([a.flatten() for a in net(setting.batch.x.float())]),
}


def response(bench: Bench, net: nn.Module) -> Tensor:
    """Figures that characterise a module: what it gives for fixed input."""
    with torch.no_grad():
        return RESPONSES[bench.kind](net, bench.setting)


@check(*MODULES)
def same_input_same_output(bench: Bench) -> None:
    """In eval mode the output is a function of the input and nothing else."""
    net = jitter(bench.make()).eval()
    first = response(bench, net)
    torch.manual_seed(99)
    require_same(response(bench, net), first, "two calls in eval mode give different output", tolerance=0.0)


@check(*MODULES)
def saving_keeps_every_bit(bench: Bench) -> None:
    """A second instance that loads what the first saved (safetensors) gives bit-equal output."""
    first, second = bench.make(), bench.make()
    if isinstance(second, Prior):
        encoder = MLPEncoder(bench.setting.spec, DiagNormal(bench.latent))
        around(first, encoder, bench.setting)
        around(second, encoder, bench.setting)
    jitter(first)
    second.load_state_dict(load(save({name: t.contiguous() for name, t in first.state_dict().items()})))
    require_same(
        response(bench, second.eval()), response(bench, first.eval()), "the output changes by saving and loading", tolerance=0.0
    )


@check(*MODULES)
def tensors_follow_the_module(bench: Bench) -> None:
    """All tensors it works with are parameters or buffers, so that .double() and .to(device) take them along."""
    net = bench.make()
    stray = [
        f"{name}.{key}".lstrip(".")
        for name, module in net.named_modules()
        for key, value in vars(module).items()
        if isinstance(value, Tensor) and value.is_floating_point()
    ]
    require(not stray, f"{', '.join(stray)}: a tensor that is neither parameter nor buffer stays behind on .to(device)")
