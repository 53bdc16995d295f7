"""What a trained model is worth: likelihood, scores and the doctor."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
