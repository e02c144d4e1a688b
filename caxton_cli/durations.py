"""How a command is told how long it may wait."""

import click

SECONDS = click.FloatRange(min=0, min_open=True, max=86_400)
