"""Faults that show in the weights and in the curves of training."""

from __future__ import annotations

import math

import pandas as pd

from vaehub.evaluation.doctor.checkup import Check, Checkup, Finding

FEW = 4  # epochs below which a curve says nothing
DROP = 0.2  # share of what the loss gained and lost again: noise and schedules stay well below
NOISE = 0.01  # share of the loss itself that an epoch's mean may vary by
RISING = 0.2  # share of the gain that came in the last quarter of the epochs; a curve that has settled stays below 0.05
FELL = 0.1  # share of the gain on validation rows that may be lost again
GAP = 1.0  # share of the KL, which is the information in z, by which training rows may be better known than new ones


def not_numbers(c: Checkup) -> Finding | None:
    """NaN or infinity in the weights, the curves or the densities of validation rows."""
    bad = {name: int((~t.isfinite()).sum()) for name, t in c.run.vae.state_dict().items() if not bool(t.isfinite().all())}
    if bad:
        where = f"{sum(bad.values())} weights are NaN or infinite, first in {next(iter(bad))}"
    elif cells := [str(name) for name in c.cells if c.cells[name].str.lower().isin(["nan", "inf", "-inf"]).any()]:
        where = f"metrics.csv holds NaN or infinity in {len(cells)} columns: {', '.join(cells)}"
    elif rows := int((~c.val.elbo.isfinite()).sum()):
        where = f"the ELBO of {rows} of {len(c.val.elbo)} validation rows is not finite"
    else:
        return None
    return Finding("NaN", "error", where, "lower optimizer.lr, set trainer.gradient_clip_val=1, or look for NaN in the data")


def stopped(c: Checkup) -> Finding | None:
    """Fewer epochs than asked for, without early stopping."""
    done, asked = len(c.cells), c.run.config.train.epochs
    if not 0 < done < asked or c.run.config.train.early_stopping is not None:
        return None
    return Finding("stopped early", "warning", f"{done} of {asked} epochs were trained", "go on with `vaehub train … --resume`")


def since_last_weight_change(c: Checkup, curve: pd.Series[float]) -> pd.Series[float]:
    """The part of a curve since the weight of the KL last changed: before it, the bound follows the schedule."""
    weight = c.curve("train_kl_weight")
    changed = weight.index[weight.diff().abs() > 1e-9]
    return curve[curve.index >= changed[-1]] if len(changed) else curve


def epoch(row: object) -> int:
    """The number of an epoch, from 1, by its row in metrics.csv."""
    return int(str(row)) + 1


def diverged(c: Checkup) -> Finding | None:
    """The loss on training rows rose again, under an objective that stayed the same."""
    curve = since_last_weight_change(c, c.curve("train_loss"))
    if len(curve) < FEW or curve.idxmin() >= curve.index[-3]:
        return None
    best, last = curve.min(), curve.iloc[-3:].min()
    gained = curve.loc[: curve.idxmin()].max() - best
    if last - best <= DROP * gained + NOISE * abs(best):
        return None
    evidence = f"train_loss rose from {best:.4g} in epoch {epoch(curve.idxmin())} to {last:.4g} in the last epochs"
    return Finding(
        "divergence", "error", evidence, "lower optimizer.lr, raise optimizer.warmup, or set trainer.gradient_clip_val=1"
    )


def undertrained(c: Checkup) -> Finding | None:
    """The bound on validation rows still rises."""
    curve = since_last_weight_change(c, c.curve("val_elbo"))
    if len(curve) < FEW:
        return rising(c, curve)
    gain = curve.iloc[-1] - curve.iloc[0]
    late = curve.iloc[-1] - curve.iloc[-1 - len(curve) // 4]
    if gain <= 0 or late <= RISING * gain:
        return None
    evidence = f"{late / gain:.0%} of the gain in val_elbo ({gain:.4g} nats) came in the last quarter of {len(c.cells)} epochs"
    return Finding("under-training", "note", evidence, "raise train.epochs or optimizer.lr")


def rising(c: Checkup, curve: pd.Series[float]) -> Finding | None:
    """Too few epochs for a trend, and the last one was still much better than the one before."""
    if len(curve) < 2 or curve.iloc[-1] - curve.iloc[-2] <= NOISE * abs(curve.iloc[-1]):
        return None
    evidence = f"val_elbo rose by {curve.iloc[-1] - curve.iloc[-2]:.4g} nats in the last of {len(c.cells)} epochs"
    return Finding("under-training", "note", evidence, "raise train.epochs")


def overfit(c: Checkup) -> Finding | None:
    """What z tells of training rows it does not tell of new ones, or validation fell while training went on to rise."""
    evidence = lost_gain(c) or (split_gap(c) if c.finite else None)
    if evidence is None:
        return None
    advice = "set train.early_stopping, raise optimizer.weight_decay or decoder.dropout, choose a smaller network, or add rows"
    return Finding("overfitting", "warning", evidence, advice)


def lost_gain(c: Checkup) -> str | None:
    """A validation curve that lost a good part of its gain."""
    val, train = since_last_weight_change(c, c.curve("val_elbo")), since_last_weight_change(c, c.curve("train_elbo"))
    if len(val) < FEW or len(train) < FEW or train.iloc[-1] < train.loc[val.idxmax() :].iloc[0]:
        return None
    best, last = val.max(), val.iloc[-3:].max()
    if best - last <= FELL * (best - val.iloc[0]):
        return None
    return f"val_elbo fell from {best:.4g} in epoch {epoch(val.idxmax())} to {last:.4g}, while train_elbo rose to {train.iloc[-1]:.4g}"


def split_gap(c: Checkup) -> str | None:
    """A distance between the splits that their difficulty (log p(x|z) under another row's z) does not explain."""
    (train, val), (hard_train, hard_val) = (c.train.elbo, c.val.elbo), (c.other_z("train"), c.other_z("val"))
    excess = float(train.mean() - val.mean() - (hard_train.mean() - hard_val.mean()))
    error = math.hypot(*(float(e.std(correction=0)) / math.sqrt(len(e)) for e in (train, val)))
    kl = float(c.val.kl.mean())
    if excess <= GAP * kl + 3 * error:
        return None
    means = f"ELBO {train.mean():.4g} on training rows, {val.mean():.4g} on validation rows"
    return (
        f"{means}: {excess:.3g} nats more than their difficulty explains (standard error {error:.2g}), for a KL of {kl:.3g} nats"
    )


CURVES: tuple[Check, ...] = (not_numbers, stopped, diverged, undertrained, overfit)
