"""Opens an image (in the event, or one of this folder's) and brings it to the size that the model reads."""

import base64
import io
import os

from PIL import Image, ImageChops, ImageOps

# Ink darker than this share of the darkest belongs to the digit.
THRESHOLD = 48


def handler(event, context):
    if "image_base64" in event:
        file = io.BytesIO(base64.b64decode(event["image_base64"]))
    else:
        file = os.path.join("images", os.path.basename(event["image"]))
    with Image.open(file) as image:
        picture = image.convert("RGB")
    small = digit_of(picture).resize((8, 8), Image.Resampling.BOX)
    pixels = small.tobytes()
    return {
        "pixels": [list(pixels[row : row + 8]) for row in range(0, 64, 8)],
        "picture": png(ImageOps.contain(picture, (160, 160))),
    }


def digit_of(picture):
    """The ink, bright on black, cut out and centred in a square."""
    ink = ImageOps.autocontrast(ImageChops.invert(picture.convert("L")))
    box = ink.point(lambda shade: 255 if shade > THRESHOLD else 0).getbbox()
    if box is None:
        return ink
    digit = ink.crop(box)
    square = Image.new("L", (max(digit.size),) * 2)
    square.paste(digit, ((square.width - digit.width) // 2, (square.height - digit.height) // 2))
    return square


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
