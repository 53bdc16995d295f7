"""Running the trainer."""

from __future__ import annotations

from vaehub.host.registry import registry
from vaehub.training.callbacks import early_stopping, logger, screen
from vaehub.training.module import Training, make_trainer, quiet
from vaehub.training.storage import Storage


def fit(module: Training, storage: Storage, progress: bool) -> None:
    """Run the trainer; what goes wrong is said in one line, and what was reached is kept."""
    config, folder, trainer = module.config, storage.folder, None
    callbacks = [*registry().callbacks(config), *early_stopping(config.train.monitor, config.train.early_stopping)]
    callbacks += storage.callbacks()
    storage.open()
    try:
        with quiet(), screen(config, progress) as bar:
            loggers = False if folder is None else logger(config.train.logger, folder)
            trainer = make_trainer(config, [*callbacks, bar], storage.checkpoints, loggers, folder)
            trainer.fit(module, ckpt_path=storage.resume_from, weights_only=True)
    except BaseException as error:
        better = storage.reported(error, trainer, module)
        if better is error:
            raise
        raise better from error
