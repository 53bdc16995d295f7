"""`interruptible` and `rearm` of `vaehub.signals` among the facilities for long work."""

from vaehub.signals import interruptible as interruptible
from vaehub.signals import rearm as rearm
