"""Replaces pandas, which only draws here, where it cannot be installed."""
