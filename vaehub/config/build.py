"""From a validated config to objects."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from vaehub.config.schema import PartConfig
from vaehub.errors import UsageError
from vaehub.host.registry import registry

if TYPE_CHECKING:
    from vaehub.base import Codec, Domain, Objective, Spec
    from vaehub.config.load import Config
    from vaehub.model.vae import VAE


def build_domain(config: Config) -> Domain[Codec]:
    """The domain of a run, which has read no file yet.

    Arguments:
        config: of the run.

    >>> from vaehub.config.load import load_config
    >>> type(build_domain(load_config({"domain": "arrays"}))).__name__
    'Arrays'
    """
    domain: Domain[Codec] = construct(config.domain)
    return domain


def build_vae(config: Config, spec: Spec) -> VAE:
    """The model of a run, freshly initialised.

    Arguments:
        config: of the run.
        spec: of the data.

    >>> from vaehub.base import Spec
    >>> from vaehub.config.load import load_config
    >>> build_vae(load_config({"domain": "arrays", "latent": 3}), Spec((5,))).sample(7).shape
    torch.Size([7, 3])
    """
    from vaehub.model.vae import VAE

    posterior = construct(config.posterior, config.latent)
    likelihood = construct(config.likelihood, spec)
    encoder = construct(config.encoder, spec, posterior)
    decoder = construct(config.decoder, spec, config.latent, likelihood)
    return VAE(encoder, decoder, construct(config.prior, spec, config.latent), config.rereads)


def build_objective(config: Config, spec: Spec) -> Objective:
    """The objective; parts nested in it know the shape of the data already."""
    objective: Objective = construct(config.objective, nested=(spec,))
    return objective


def construct(part: PartConfig, *arguments: object, nested: tuple[object, ...] = ()) -> Any:
    """The part's class called with what the toolkit gives and the user's options. Raises UsageError where it refuses them."""
    cls = registry().load(part.kind, part.name)
    try:
        return cls(*arguments, **bound_options(part, nested))
    except ValueError as error:
        raise UsageError(f"{part.kind} {part.name}: {error}") from error


def bound_options(part: PartConfig, nested: tuple[object, ...]) -> dict[str, Any]:
    """The options, each nested part as a function that still awaits its positional arguments; an objective in another awaits none."""
    return {k: nested_factory(v, nested) if isinstance(v, PartConfig) else v for k, v in part.options.items()}


def nested_factory(part: PartConfig, nested: tuple[object, ...]) -> partial[Any]:
    """The part, given what is known by now."""
    return partial(construct, part, *(() if part.kind == "objective" else nested), nested=nested)
