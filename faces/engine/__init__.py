"""From a photo to faces with embeddings: NumPy, OpenCV and ONNX Runtime, no Django."""

import os

# ONNX Runtime's builds report to their maker and keep a device id in the home folder,
# unless this is set before the library is first imported. A school's photos and what
# is done with them are nobody else's business.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
