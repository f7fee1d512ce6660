"""Photos and a pack that may lie beside the project; nothing of them belongs to it.

`ROLLBOOK_MATERIAL` names the folder where it lies elsewhere. Tests that use it are
left out where it is missing.
"""

import os
from pathlib import Path
from typing import Final

_PROJECT: Final = Path(__file__).resolve().parents[2]

FOLDER: Final = Path(
    os.environ.get("ROLLBOOK_MATERIAL") or _PROJECT.parent / "shared"
).expanduser()
LFW: Final = FOLDER / "data" / "lfw10"  # ten people, ten photos each
PACK: Final = FOLDER / "models" / "insightface_pack"  # a small SCRFD and a recogniser
