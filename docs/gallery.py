"""The gallery: how long each example runs while the pages are built, and where its figure is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from sphinx_gallery.scrapers import figure_rst

#: What the build passes to an example, in place of ten seeds: a few seconds each.
SIZES = {
    "batch_normalization.py": ["--seeds", "2"],
    "convolution.py": ["--seeds", "1"],
    "data_augmentation.py": ["--seeds", "2"],
    "gradient_checking.py": ["--seeds", "2"],
    "grid_versus_random.py": ["--seeds", "4"],
    "initialization.py": ["--seeds", "1"],
    "optimization.py": ["--seeds", "1"],
    "regularization.py": ["--seeds", "1"],
    "vanishing_gradients.py": ["--seeds", "2"],
}


def arguments(settings: dict[str, Any], variables: dict[str, Any]) -> list[str]:
    """Return the command line of an example."""
    return SIZES[Path(variables["src_file"]).name]


def saved_figure(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Show the PNG file that an example wrote beside itself, if the block just run did."""
    picture = Path(variables["src_file"]).with_suffix(".png")
    if not picture.exists():
        return ""
    place = next(variables["image_path_iterator"])
    shutil.move(picture, place)
    return figure_rst([place], settings["src_dir"])
