"""How the documentation is built: ``python -m sphinx -W -n docs build/docs``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

from pygments.lexers.special import TextLexer

import pytest_symmetry

project = "pytest-symmetry"
author = "The pytest-symmetry team"
project_copyright = "The pytest-symmetry team"
release = version = pytest_symmetry.__version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "made_pages",  # codes, causes, commands, options: written from the code at every build
    "sections",  # which page stands under which heading of the contents
    "barriers",  # what a screen reader stumbles over in the theme
    "mathml",  # formulas without a script from elsewhere
]
exclude_patterns = ["figures", "_extensions"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "pytest-symmetry"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_math_renderer = "mathml"
html_show_sphinx = False
html_copy_source = False
# Two styles whose every colour has a contrast of 4.5 to 1 or more on furo's ground.
pygments_style = "a11y-light"
pygments_dark_style = "a11y-dark"

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False
# What is not ours is described elsewhere; a name of ours that leads nowhere is an error.
nitpick_ignore_regex = [(r"py:.*", r"(?!pytest_symmetry|graders).*")]


def setup(app):
    """Let a table be shown as what it is."""
    app.add_lexer("csv", TextLexer)
