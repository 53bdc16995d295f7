"""The bench that a component is tried on: data it fits, itself built with its defaults, and a VAE around it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

import torch
from torch import Tensor, nn

from vaehub.base import Decoder, Domain, Encoder, Example, Features, Likelihood, Posterior, Prior, Spec
from vaehub.base.parts import Wired
from vaehub.config.schema import options, part_kind
from vaehub.errors import UsageError
from vaehub.hints import reason
from vaehub.model.likelihoods import Normal
from vaehub.model.nets import MLPDecoder, MLPEncoder
from vaehub.model.posteriors import DiagNormal
from vaehub.model.priors import StandardNormal
from vaehub.model.vae import VAE
from vaehub.testing.settings import Setting, asked_for

LATENT = 3
HIDDEN = (16,)


class Unusable(Exception):
    """The part cannot be imported or built, so that nothing else can be asked of it."""


class Pixels(Features):
    """x itself as its only activation: stands in where a part must be given a feature network."""

    def forward(self, x: Tensor) -> list[Tensor]:
        """[x (B, D)]."""
        return [x.flatten(1)]


STAND_INS: dict[str, Callable[..., Any]] = {"features": Pixels, "likelihood": Normal, "posterior": DiagNormal}


@dataclass(frozen=True)
class Bench:
    """One component, how to build it, and the data to try it on."""

    key: str  # "kind/name"
    plugin: str
    load: Callable[[], type[Any]]
    settings: Callable[[], Iterable[Setting]]

    @property
    def kind(self) -> str:
        """The component's kind."""
        return self.key.partition("/")[0]

    @cached_property
    def cls(self) -> type[Any]:
        """The class under test. Raises Unusable where it cannot be imported."""
        try:
            return self.load()
        except UsageError as error:
            raise Unusable(str(error)) from error

    @cached_property
    def known_failures(self) -> Mapping[str, str]:
        """Checks that the class declares to fail, with the reason."""
        try:
            cls = self.cls
            return dict(cls.known_failures) if isinstance(cls, type) and issubclass(cls, Wired | Domain) else {}
        except Unusable:
            return {}

    @cached_property
    def folder(self) -> Path:
        """A folder for the files of `example`, removed with the bench."""
        folder = Path(mkdtemp(prefix="vaehub-check-"))
        finalize(self, rmtree, folder, ignore_errors=True)
        return folder

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options to build the class with: what its `example` gives, else its defaults. Raises Unusable where some have none."""
        cls = self.cls
        given = (
            dict(cls.example(self.folder)) if isinstance(cls, type) and issubclass(cls, Domain) else dict(self.example.options)
        )
        lacking = missing(self.cls, given)
        if lacking:
            raise Unusable(f"the option {lacking[0]} has no default; offer an example() that gives one")
        return given

    @cached_property
    def example(self) -> Example:
        """What the part asks to be tried with."""
        cls = self.cls
        return cls.example() if isinstance(cls, type) and issubclass(cls, Wired) else Example()

    def candidates(self) -> list[Setting]:
        """Data to try the part with: those that it asks for, else all that there are."""
        return [*self.settings()] if self.example.spec is None else [asked_for(self.example.spec)]

    @property
    def latent(self) -> int:
        """Number of latent dimensions to try the part with."""
        return self.example.latent or LATENT

    @cached_property
    def setting(self) -> Setting:
        """The first data that the part fits. Raises Unusable where there are none."""
        refusals: list[Exception] = []
        for setting in self.candidates():
            if self._fits(setting, refusals):
                return setting
        raise Unusable(f"it fits none of the data it was tried on; first refusal: {reason(refusals[0])}")

    @cached_property
    def smallest(self) -> Setting:
        """Of all data that the part fits, those with the fewest elements a row: for checks that draw many samples."""
        return min((setting for setting in self.candidates() if self._fits(setting, [])), key=lambda setting: setting.spec.size)

    @cached_property
    def conditional(self) -> Setting:
        """The data that the part fits, with a condition. Raises Unusable where it says that it takes none."""
        setting = self.setting.conditional()
        try:
            self.make(setting)
        except UsageError as error:
            raise Unusable(f"it takes no condition: {error}") from error
        return setting

    def _fits(self, setting: Setting, refusals: list[Exception]) -> bool:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            try:
                part = self.make(setting)
            except Unusable:
                raise
            except Exception as error:
                refusals.append(error)
                return False
            return self._takes(part, setting, refusals)

    def _takes(self, part: Any, setting: Setting, refusals: list[Exception]) -> bool:
        try:
            TRIALS.get(self.kind, nothing)(part, setting)
        except Exception as error:  # a part may refuse data, but where it crashes on its own plugin's the checks shall tell
            refusals.append(error)
            return setting.own and not isinstance(error, UsageError)
        return True

    def make(self, setting: Setting | None = None, latent: int | None = None) -> Any:
        """A new instance for these data, by default for the data that fit."""
        setting = self.setting if setting is None else setting
        chosen = nested(self.cls, self.kind, setting.spec) | self.options
        constructor: Callable[..., Any] = self.cls
        return MAKERS[self.kind](partial(constructor, **chosen), setting, self.latent if latent is None else latent)

    def vae(self, setting: Setting) -> VAE:
        """A VAE with the part in its place and built-in parts in all others."""
        return vae_around(self.make(setting), setting, self.latent)


def wired(make: Callable[..., Prior], setting: Setting, latent: int) -> Prior:
    """A prior that is part of a model."""
    prior = make(setting.spec, latent)
    around(prior, MLPEncoder(setting.spec, DiagNormal(latent), hidden=HIDDEN), setting)
    return prior


def around(prior: Prior, encoder: Encoder, setting: Setting) -> VAE:
    """A VAE of this prior and this encoder."""
    decoder = MLPDecoder(setting.spec, prior.latent, setting.likelihood(setting.spec), hidden=HIDDEN)
    return VAE(encoder, decoder, prior)


MAKERS: dict[str, Callable[[Callable[..., Any], Setting, int], Any]] = {
    "domain": lambda make, setting, latent: make(),
    "encoder": lambda make, setting, latent: make(setting.spec, DiagNormal(latent)),
    "posterior": lambda make, setting, latent: make(latent),
    "decoder": lambda make, setting, latent: make(setting.spec, latent, setting.likelihood(setting.spec)),
    "likelihood": lambda make, setting, latent: make(setting.spec),
    "prior": wired,
    "objective": lambda make, setting, latent: make(),
    "features": lambda make, setting, latent: make(setting.spec),
}


def nothing(part: Any, setting: Setting) -> None:
    """No trial: any data will do."""


def admitted(likelihood: Likelihood, setting: Setting) -> None:
    """Raises UsageError where the rows lie outside the likelihood's support."""
    if not bool(likelihood.support.check(setting.batch.x).all()):
        raise UsageError(f"x is outside {likelihood.support}")


TRIALS: dict[str, Callable[[Any, Setting], object]] = {
    "likelihood": admitted,
    "encoder": lambda encoder, setting: encoder(setting.batch),
    "decoder": lambda decoder, setting: decoder(torch.zeros(len(setting.batch.x), decoder.latent), setting.batch.cond),
    "features": lambda features, setting: features(setting.batch.x.float()),
}


def nested(cls: type[Any], kind: str, spec: Spec) -> dict[str, Callable[..., Any]]:
    """A nested part, where an option asks for one: its default, else a stand-in; an objective's already knows the spec, if it is none itself."""
    found = {}
    for option, hint in options(cls):
        wanted = part_kind(hint)
        if wanted is not None and option.default is not None:
            make: Callable[..., Any] = STAND_INS[wanted] if option.default is option.empty else option.default
            found[option.name] = partial(make, spec) if kind == "objective" != wanted else make
    return found


def missing(cls: type[Any], given: Mapping[str, Any]) -> list[str]:
    """Options that have no default, are not given, and take no nested part."""
    return [o.name for o, hint in options(cls) if o.default is o.empty and o.name not in given and part_kind(hint) is None]


def vae_around(part: nn.Module, setting: Setting, latent: int = LATENT) -> VAE:
    """A VAE with this part in its place and small built-in parts in all others."""
    spec = setting.spec
    posterior = part if isinstance(part, Posterior) else DiagNormal(latent)
    likelihood = part if isinstance(part, Likelihood) else setting.likelihood(spec)
    encoder = part if isinstance(part, Encoder) else MLPEncoder(spec, posterior, hidden=HIDDEN)
    decoder = part if isinstance(part, Decoder) else MLPDecoder(spec, latent, likelihood, hidden=HIDDEN)
    return VAE(encoder, decoder, part if isinstance(part, Prior) else StandardNormal(spec, latent))
