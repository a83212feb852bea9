"""What notebooks show: a diagnosis, a History or experiments as HTML, and the panel inline (`ww.show`).

The HTML holds no script, refers to nothing outside of itself, and takes the colour of its text from the notebook, so
that it reads on light and on dark backgrounds. (`prefers-color-scheme` is that of the browser, which may differ.)
"""

from .pages import diagnosis_html, experiments_html, history_html, html
from .panel import show
from .tensorboard_start import start_problem

__all__ = ["diagnosis_html", "experiments_html", "history_html", "html", "show", "start_problem"]
