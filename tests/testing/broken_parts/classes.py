"""What may be wrong with the class of any part, whatever it computes."""

from __future__ import annotations

import torch.distributions as td

from broken_parts.faults import fails
from broken_parts.likelihoods import Unit
from vaehub.base import Likelihood


@fails("class_is_complete")
class Unfinished(Likelihood):
    """An abstract method is missing."""

    def forward(self, params):
        return td.Normal(params[:, 0], 1.0, validate_args=False)


@fails("name_is_not_taken", name="normal")
class Usurper(Unit):
    """Takes a name of the core."""


@fails("constructor_takes_what_it_is_given")
class TakesAnything(Unit):
    """Options that no schema can be read from."""

    def __init__(self, spec, **options):
        super().__init__(spec)


@fails("options_are_annotated")
class BareOption(Unit):
    """An option without a type."""

    def __init__(self, spec, *, scale=1.0):
        super().__init__(spec)


@fails("options_have_defaults")
class NoDefault(Unit):
    """An option without a default."""

    def __init__(self, spec, *, scale: float):
        super().__init__(spec)


@fails("documented")
class Undocumented(Unit):
    def forward(self, params):
        return td.Normal(params[:, 0], 1.0, validate_args=False)


@fails("config_round_trip")
class WrongDefault(Unit):
    """A default that its own annotation refuses."""

    def __init__(self, spec, *, components: int = "many"):
        super().__init__(spec)


@fails("defaults_build_it")
class BreaksAtOnce(Unit):
    """The constructor raises."""

    def __init__(self, spec):
        raise RuntimeError("no")
