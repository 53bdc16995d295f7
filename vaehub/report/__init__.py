"""Pages of HTML that open offline: what a plugin needs to add its sections to a run's page, and to write pages of its own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
