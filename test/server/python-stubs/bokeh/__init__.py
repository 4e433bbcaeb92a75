"""Replaces bokeh, which only draws, where it cannot be installed."""
