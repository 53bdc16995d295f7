"""The commands of `vaehub`, one function each; a module is imported when its command runs."""

from .common import AsJson as AsJson
from .common import Force as Force
from .common import OptionalOutput as OptionalOutput
from .common import Output as Output
from .common import RunPath as RunPath
from .common import Seed as Seed
from .common import number as number
from .common import open_run as open_run
from .common import print_json as print_json
from .common import print_table as print_table
from .common import write_frame as write_frame
from .session import Session as Session
from .session import session as session

COMMANDS: dict[str, tuple[str, str]]
