"""New items by their features alone."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from vaehub import UsageError, hints
from vaehub_recommender.api.fitted import Fitted
from vaehub_recommender.api.query import require_users
from vaehub_recommender.cold.learn import learn_new_items
from vaehub_recommender.rank import Ranker
from vaehub_recommender.rules import ItemTable


def add_items(fitted: Fitted, frame: pd.DataFrame | None) -> Fitted:
    """The same model, which lists items that nobody has: those of the frame, and of the table of items that it was fitted with.

    Raises UsageError where the model knows no features, for a frame that lacks some, and where there is no new item.
    """
    content = fitted.content
    if content is None:
        raise UsageError("this model knows no features of items; fit it with items=…, a table with a row for each item")
    if frame is not None:
        content = content.with_rows(frame, fitted.log.items)
    if not len(content.ids):
        raise UsageError("items: users have all of them already; give rows of items that are new to the model")
    if fitted.log.items.whole != content.ids.whole:
        kinds = ["text or the like", "whole numbers"]
        example = hints.quoted(content.ids.values.tolist()[0])
        raise UsageError(
            f"items: {example} …: the model's ids are {kinds[fitted.log.items.whole]}, these are {kinds[content.ids.whole]}; convert them"
        )
    if fitted.new_items is not None:
        added = replace(fitted.new_items, items=fitted.log.items, content=content)
    else:
        known = require_users(fitted)
        added = learn_new_items(known.log.items, content, Ranker(known.run), known.log.matrix, known.side)
    frames = {**fitted.frames, "item": extended(fitted.frames["item"], frame, fitted)}
    return replace(fitted, content=content, new_items=added, frames=frames)


def extended(known: pd.DataFrame | None, frame: pd.DataFrame | None, fitted: Fitted) -> pd.DataFrame | None:
    """What rules read of items, with the rows of those that are new."""
    if known is None or frame is None:
        return frame if known is None else known
    column = ItemTable.of(known, fitted.columns.item, fitted.items).column
    own = ItemTable.of(frame, fitted.columns.item, fitted.items).column
    added = frame[~frame[own].isin(known[column])].rename(columns={own: column})
    return pd.concat([known, added], ignore_index=True)


def after_update(before: Fitted, after: Fitted) -> Fitted:
    """The updated model with what is known of items: such as have users now are no longer new."""
    if before.content is None:
        return after
    content = before.content.after(before.log.items, after.log.items)
    if before.new_items is None or not len(content.ids):
        return replace(after, content=content, new_items=None)
    return replace(after, content=content, new_items=replace(before.new_items, items=after.log.items, content=content))
