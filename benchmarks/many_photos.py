"""Photos of many people for the imports' benchmarks: no set of faces is needed.

Six real people, each seen through turns and shifts of the photo. To the engine most are
the same six again, so the benchmarks turn the look-alike check's refusals into ends
like any other; the work on each photo is the same.
"""

import cv2
import numpy as np

from faces.engine.image import decode
from faces.tests.photos import six_close_ups


def photos_of(number: int) -> dict[str, bytes]:
    """Return so many different JPEGs of 480 x 480 pixels, `S0000.jpg` and so on."""
    people = [
        decode(photo, max_bytes=10**7, max_pixels=10**7) for photo in six_close_ups()
    ]
    found = {}
    for at in range(number):
        person = people[at % len(people)]
        height, width = person.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), (at % 13) - 6, 1.0)
        turn[:, 2] += (at % 7 - 3, at % 5 - 2)
        moved = cv2.warpAffine(person, turn, (width, height), borderMode=1)
        light = np.clip(moved.astype(np.int16) + at % 11 - 5, 0, 255).astype(np.uint8)
        found[f"S{at:04}.jpg"] = bytes(cv2.imencode(".jpg", light)[1])
    return found
