"""What Ersilia asks of psutil to find out whose sessions are alive."""

import os


class NoSuchProcess(Exception):
    pass


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def pid_exists(pid):
    return os.path.exists("/proc/%d" % pid)


class Process:
    def __init__(self, pid=None):
        self.pid = os.getpid() if pid is None else pid

    def children(self, recursive=False):
        return []

    def is_running(self):
        return pid_exists(self.pid)


class _Memory:
    total = available = 8 << 30
    percent = 0.0


def virtual_memory():
    return _Memory()


def cpu_count(logical=True):
    return 1


def cpu_percent(*given, **named):
    return 0.0
