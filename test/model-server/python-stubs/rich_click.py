"""rich_click is click with colours: where it is not installed, click itself."""

from click import *  # noqa: F403
from click import Command as RichCommand, Group as RichGroup  # noqa: F401


class _Settings:
    pass


rich_click = _Settings()
