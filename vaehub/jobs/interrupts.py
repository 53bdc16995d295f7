"""`vaehub.signals.interruptible` under the name by which plugins import it."""

from vaehub.signals import interruptible

__all__ = ["interruptible"]
