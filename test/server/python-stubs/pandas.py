"""Stands in for pandas, which only draws here, where it cannot be installed."""
