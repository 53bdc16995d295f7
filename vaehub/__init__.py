"""vaehub: variational autoencoders from exchangeable parts. Importing it is cheap: torch comes with the first name that needs it."""

import lazy_loader

__version__ = "0.2.0"
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the public names are in __init__.pyi
