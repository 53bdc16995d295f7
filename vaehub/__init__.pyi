"""The public names of vaehub, each with the module that it is imported from on first use."""

from .autoencoder import Autoencoder as Autoencoder
from .base import (
    Batch as Batch,
)
from .base import (
    Codec as Codec,
)
from .base import (
    Data as Data,
)
from .base import (
    Decoder as Decoder,
)
from .base import (
    Domain as Domain,
)
from .base import (
    Encoder as Encoder,
)
from .base import (
    Example as Example,
)
from .base import (
    Features as Features,
)
from .base import (
    Json as Json,
)
from .base import (
    Kind as Kind,
)
from .base import (
    Likelihood as Likelihood,
)
from .base import (
    Logs as Logs,
)
from .base import (
    Model as Model,
)
from .base import (
    Objective as Objective,
)
from .base import (
    Outcome as Outcome,
)
from .base import (
    Part as Part,
)
from .base import (
    Posterior as Posterior,
)
from .base import (
    Prior as Prior,
)
from .base import (
    Spec as Spec,
)
from .base import (
    Step as Step,
)
from .base import (
    Terms as Terms,
)
from .base import (
    estimate as estimate,
)
from .base import (
    full_precision as full_precision,
)
from .config.build import build_domain as build_domain
from .config.build import build_vae as build_vae
from .config.load import Config as Config
from .config.load import load_config as load_config
from .data.in_memory import InMemory as InMemory
from .data.rows import Subset as Subset
from .data.rows import TensorData as TensorData
from .data.rows import batches as batches
from .data.seeds import derive_seed as derive_seed
from .data.seeds import seeded as seeded
from .errors import RunFailed as RunFailed
from .errors import UsageError as UsageError
from .evaluation.judge import Judge as Judge
from .facts import Described as Described
from .host.hooks import hookimpl as hookimpl
from .model.vae import VAE as VAE
from .run import Run as Run
from .run import load as load
from .trained import TrainedModel as TrainedModel
from .training.fit import train as train
from .training.second_stage import fit_prior as fit_prior

__version__: str
