"""Long work: processes that can be stopped, journals and shards from which a killed job goes on, and what shows how far it is."""

from .identity import digest as digest
from .identity import digest_of_code as digest_of_code
from .identity import digest_of_model as digest_of_model
from .ledger import Ledger as Ledger
from .manifest import Manifest as Manifest
from .progress import Stage as Stage
from .progress import stage as stage
from .sharded import Work as Work
from .sharded import Writer as Writer
from .sharded import run_sharded as run_sharded
from .shards import Formats as Formats
from .workers import Answer as Answer
from .workers import Failure as Failure
from .workers import Limits as Limits
from .workers import Workers as Workers
from .workers import processors as processors
