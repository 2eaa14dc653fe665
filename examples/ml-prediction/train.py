"""Trains the model and writes what the example ships: `python3 train.py`, from this folder.

Needs numpy, Pillow and scikit-learn, which ships the data: the test part of "Optical Recognition of Handwritten Digits"
(E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0), 1,797 digits of 8 x 8 pixels with 17 shades. The
last fifth is held out; the shipped images come from there.
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
HIDDEN, EPOCHS, BATCH, RATE, MOMENTUM, DECAY = 48, 60, 32, 0.05, 0.9, 1e-4
PAPER, INK = np.array([247, 242, 228]), np.array([28, 38, 84])


def forward(x, w1, b1, w2, b2):
    hidden = np.maximum(0, x @ w1 + b1)
    scores = hidden @ w2 + b2
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return hidden, scores / scores.sum(axis=1, keepdims=True)


def train(x, labels, rng):
    weights = [
        rng.normal(0, np.sqrt(2 / 64), (64, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, 10)),
        np.zeros(10),
    ]
    speeds = [np.zeros_like(weight) for weight in weights]
    wanted = np.eye(10)[labels]
    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for start in range(0, len(x), BATCH):
            batch = order[start : start + BATCH]
            hidden, output = forward(x[batch], *weights)
            at_output = (output - wanted[batch]) / len(batch)
            at_hidden = (at_output @ weights[2].T) * (hidden > 0)
            gradients = [x[batch].T @ at_hidden, at_hidden.sum(0), hidden.T @ at_output, at_output.sum(0)]
            for weight, speed, gradient in zip(weights, speeds, gradients):
                speed *= MOMENTUM
                speed -= RATE * (gradient + DECAY * weight)
                weight += speed
    return [weight.astype(np.float32) for weight in weights]


def photograph(digit):
    """A digit of 8 x 8 as ink on paper, 160 x 160."""
    shades = Image.fromarray((digit / 16 * 255).astype(np.uint8)).resize((128, 128), Image.Resampling.BICUBIC)
    ink = np.zeros((160, 160, 1))
    ink[16:144, 16:144, 0] = np.asarray(shades) / 255
    return Image.fromarray((PAPER * (1 - ink) + INK * ink).round().astype(np.uint8))


def draw_by_mouse():
    """A seven of a few strokes on a wide canvas, as an upload would hold it."""
    picture = Image.new("RGB", (300, 200), "white")
    strokes = ImageDraw.Draw(picture)
    strokes.line([(100, 40), (190, 38), (178, 75), (150, 165)], fill="black", width=22, joint="curve")
    strokes.line([(128, 105), (190, 100)], fill="black", width=18)
    file = io.BytesIO()
    picture.convert("1").save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def main():
    digits = load_digits()
    x, labels = digits.data / 16, digits.target
    count = len(x) * 4 // 5
    weights = train(x[:count], labels[:count], np.random.default_rng(8))
    _, output = forward(x[count:], *weights)
    print(f"right on {np.mean(output.argmax(1) == labels[count:]):.1%} of {len(x) - count} digits held out")
    np.savez_compressed(HERE / "functions/predict/weights.npz", **dict(zip(("w1", "b1", "w2", "b2"), weights)))
    for label in range(10):
        first = count + int(np.argmax(labels[count:] == label))
        photograph(digits.images[first]).save(HERE / f"functions/resize/images/digit-{label}.png", optimize=True)
    (HERE / "events/upload.json").write_text(json.dumps({"image_base64": draw_by_mouse()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
