"""Stands in for bokeh, which only draws, where it cannot be installed."""
