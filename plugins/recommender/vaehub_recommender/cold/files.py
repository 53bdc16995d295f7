"""Features of items as JSON: packed as bytes, since they are many and mostly 0."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from zlib import compress, decompressobj

import numpy as np

from vaehub import Json, files
from vaehub_recommender.cold.content import Content
from vaehub_recommender.cold.items import NewItems
from vaehub_recommender.side_features import Floats, SideFeatures
from vaehub_recommender.tables import Ids


def packed_items(content: Content, added: NewItems | None) -> Json:
    """What is known of the items, and how new ones are scored where they are listed."""
    return {
        "features": content.features.to_json(),
        "learnt": pack(content.learnt),
        "new": content.ids.to_json(),
        "new_features": pack(content.new),
        "added": None if added is None else {"penalty": added.penalty, "spread": added.spread, "quality": added.quality},
    }


def unpacked_items(path: Path, items: Ids) -> tuple[Content | None, NewItems | None]:
    """What `packed_items` packed, nothing where there is no such file. Raises ValueError or KeyError where it is damaged."""
    if not path.exists():
        return None, None
    packed = json.loads(files.read_bytes(path, files.MAX_BYTES))
    features, ids = SideFeatures.from_json(packed["features"]), Ids.from_json(packed["new"])
    learnt, new = (
        unpack(packed[name], rows, features.width) for name, rows in (("learnt", len(items)), ("new_features", len(ids)))
    )
    content = Content(features, learnt, ids, new)
    if packed["added"] is None:
        return content, None
    return content, NewItems(items, content, **files.validated_json(dict[str, float], packed["added"]))


def pack(rows: Floats) -> str:
    """Little-endian float32, compressed, as text."""
    return b64encode(compress(np.ascontiguousarray(rows, "<f4").tobytes())).decode()


def unpack(text: str, rows: int, width: int) -> Floats:
    """Rows (rows, width). Raises ValueError where there are more or fewer numbers, before they take memory."""
    size = rows * width * 4
    raw = decompressobj().decompress(b64decode(text), size + 1)
    if len(raw) != size:
        raise ValueError(f"features of {rows} items take {size} bytes")
    return np.frombuffer(raw, "<f4").reshape(rows, width).astype(np.float32)
