"""Images as they are, each under its caption: what a notebook shows before any figure of results."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from lm_utils.show.style import new_figure


def images_figure(images: Tensor, captions: Sequence[str]) -> Figure:
    """Draw a few images [N, 1, 28, 28] side by side, a caption below each."""
    figure, axes = new_figure(1, len(images), width=11, height=2.4)
    for axis, image, caption in zip(axes, images, captions, strict=True):
        axis.imshow(image[0], cmap="gray_r", vmin=-1, vmax=1)
        axis.set(xlabel=caption, xticks=[], yticks=[])
        axis.grid(False)
    figure.set_label(f"{len(images)} images, from left to right: {'; '.join(captions)}.")
    return figure
