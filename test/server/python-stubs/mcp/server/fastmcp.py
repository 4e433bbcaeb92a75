class Context:
    """Where tools report errors to; they are kept for the test."""

    def __init__(self):
        self.errors = []

    async def error(self, message, **_):
        self.errors.append(str(message))

    async def info(self, *_, **__):
        pass

    debug = warning = report_progress = info


class FastMCP:
    def __init__(self, *_, **__):
        pass

    def tool(self, *_, **__):
        return lambda function: function
