"""Long work: processes that can be stopped, journals and shards from which a killed job goes on, and what shows how far it is."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
