"""Writes the label under the picture."""

import base64
import hashlib
import io

from PIL import Image, ImageDraw, ImageFont

STRIP = 24


def main(event):
    prediction = event["prediction"]
    label = prediction["label"]
    picture = Image.open(io.BytesIO(base64.b64decode(event["image"]["picture"]))).convert("RGB")
    labelled = Image.new("RGB", (picture.width, picture.height + STRIP), "white")
    labelled.paste(picture, (0, 0))
    text = f"{label}  ({prediction['probabilities'][label]:.0%})"
    # The bitmap font is drawn the same by every build of Pillow.
    ImageDraw.Draw(labelled).text((8, picture.height + 6), text, fill="black", font=ImageFont.load_default_imagefont())
    result = {
        **prediction,
        "picture": {
            "width": labelled.width,
            "height": labelled.height,
            "pixels_sha256": hashlib.sha256(labelled.tobytes()).hexdigest(),
        },
    }
    if event.get("return_png"):
        file = io.BytesIO()
        labelled.save(file, "PNG")
        result["picture"]["png_base64"] = base64.b64encode(file.getvalue()).decode()
    return result
