"""Sphinx: `make docs` builds the pages to build/docs/html, warnings are errors."""

import re
from importlib.metadata import version as version_of

from pygments.lexers.special import TextLexer

project = "plankton_features"
author = "The plankton_features developers"
copyright = "the plankton_features developers, Apache 2.0"
version = release = version_of("plankton_features")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["notebooks/work", "**/.ipynb_checkpoints"]

# Pages
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300

# Reference
autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 80
default_role = "py:obj"
numpydoc_show_class_members = False
add_module_names = False

# Look
html_theme = "pydata_sphinx_theme"
html_title = "plankton_features"
html_static_path = ["_static"]
html_css_files = ["look.css"]
html_show_sourcelink = False
html_sidebars = {"index": [], "quickstart": []}
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
copybutton_selector = "div.highlight-sh pre, div.highlight-python pre, div.highlight-ipython3 pre"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app):
    """Sphinx calls it."""
    app.add_lexer("csv", TextLexer)
    app.connect("autodoc-process-signature", shorten_types)
    app.connect("autodoc-process-docstring", list_names)
    app.connect("autodoc-skip-member", skip_routing)


def shorten_types(app, what, name, obj, options, signature, returned):
    """Write types of arrays as the source does: NDArray[float64]. Nobody calls a protocol."""
    if getattr(obj, "_is_protocol", False):
        return "", returned
    words = (r"ndarray\[tuple\[(?:~typing\.)?Any, \.\.\.\], (?:~numpy\.)?dtype\["
             r"((?:~numpy\.)?\w+)\]\]")
    return tuple(text and re.sub(r"(?:~numpy\.)?" + words, r"NDArray[\1]", text)
                 for text in (signature, returned))


def list_names(app, what, name, obj, options, lines):
    """Begin the page of a room with a table of its functions and classes."""
    names = [n for n in getattr(obj, "__all__", ()) if callable(getattr(obj, n))]
    if what == "module" and names:
        lines[:] = [".. autosummary::", "   :nosignatures:", "", *(f"   {n}" for n in names), ""]


def skip_routing(app, what, name, obj, skip, options):
    """Leave out what scikit-learn makes for metadata routing: its text links to its own pages."""
    return skip or (name.startswith("set_") and name.endswith("_request"))
