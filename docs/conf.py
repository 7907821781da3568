"""Settings of Sphinx for this folder: `sphinx-build -W -b html docs build/docs` (extra `docs`)."""

import sys
from pathlib import Path

from sphinx.util.nodes import make_refnode

import fastnn

sys.path.insert(0, str(Path(__file__).parent))  # for gallery.py and names.py
import names

project = "fastnn"
author = "the fastnn developers"
copyright = "the fastnn developers, BSD-3-Clause"
version = release = fastnn.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_templates", "examples/*.ipynb", "examples/*.py"]
templates_path = ["_templates"]
nitpicky = True  # a reference to nothing is a warning, and -W makes it an error
default_role = "py:obj"  # `Name` in a docstring is a link …
nitpick_ignore_regex = [
    ("py:obj", "[a-z_0-9]+"),  # … but `name` may as well be an argument,
    ("py:obj", r"(numba|numpy|scipy|sklearn)\..*"),  # and no build asks the network about others.
]

# Pages: headings are anchors, as on GitHub.
myst_heading_anchors = 3

# Docstrings: numpydoc's sections say types, so that signatures need not.
autosummary_generate = True
autodoc_typehints = "none"
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

# Examples.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "examples",
    "filename_pattern": r"\.py$",
    "image_scrapers": ("gallery.saved_figure",),
    "reset_argv": "gallery.arguments",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
    "write_computation_times": False,
}

# Looks: no font, script or picture from elsewhere.
html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = "fastnn"
html_static_path = ["_static"]
html_css_files = ["fastnn.css"]
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b6e4f", "color-brand-content": "#0b6e4f"},
    "dark_css_variables": {"color-brand-primary": "#6fcf97", "color-brand-content": "#6fcf97"},
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def skip_inherited(app, what, name, member, skip, options):
    """Leave out what scikit-learn's documentation has."""
    return skip or (getattr(member, "__module__", None) or "").startswith("sklearn.")


def find_anywhere(app, env, node, content):
    """Link a name that its own module does not have to the only page that has it."""
    python = env.domains["py"]
    if node.get("refdomain") != "py":
        return None
    found = python.find_obj(env, None, None, node["reftarget"], node["reftype"], searchmode=1)
    homes = [(name, entry) for name, entry in found if not entry.aliased]
    if len(homes) != 1:
        return None
    name, entry = homes[0]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, name)


def setup(app):
    """Connect the handlers above; Sphinx calls it."""
    app.connect("missing-reference", find_anywhere)
    app.connect("autodoc-skip-member", skip_inherited)
    app.connect("doctree-read", names.trim)
    app.connect("doctree-resolved", names.link)
