"""What a trained model is worth: likelihood, scores and the doctor."""

from .cache import cached_per_run as cached_per_run
from .doctor import Check as Check
from .doctor import Checkup as Checkup
from .doctor import Finding as Finding
from .measured import domain_metrics as domain_metrics
