"""Replaces loguru where it cannot be installed."""

import logging

logger = logging.getLogger("loguru")
logger.success = logger.info
logger.trace = logger.debug
