"""Replaces the MCP library where it cannot be installed: tools are called as functions."""
