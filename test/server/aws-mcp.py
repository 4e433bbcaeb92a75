"""Calls tools of AWS's MCP server as its clients do: checkout, stubs; the order of calls is JSON on standard input.

Each call is {"tool": "module.function", "with": {…}}; a value "$2.cacheId" is the member of the answer of call 2.
"""

import asyncio
import importlib
import inspect
import json
import sys

checkout, stubs = sys.argv[1:3]
sys.path.insert(0, checkout)
sys.path.append(stubs)

from mcp.server.fastmcp import Context  # noqa: E402

from botocore.client import BaseClient  # noqa: E402

make_api_call = BaseClient._make_api_call


def call_with_known_members(self, operation_name, api_params):
    """The tools ask for a newer botocore than may be installed: members that it does not know are left out."""
    shape = self._service_model.operation_model(operation_name).input_shape
    known = {name: value for name, value in api_params.items() if shape and name in shape.members}
    return make_api_call(self, operation_name, known)


BaseClient._make_api_call = call_with_known_members

package = "awslabs.aws_healthomics_mcp_server.tools"


def filled(value, answers):
    if isinstance(value, str) and value.startswith("$"):
        number, _, path = value[1:].partition(".")
        found = answers[int(number)]["answer"]
        for name in path.split("."):
            found = found[int(name)] if name.isdigit() else found[name]
        return found
    if isinstance(value, dict):
        return {name: filled(item, answers) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, answers) for item in value]
    return value


def arguments(function, given):
    """Defaults are Field objects, which only the MCP library reads."""
    whole = dict(given)
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "ctx" or name in whole:
            continue
        default = parameter.default
        whole[name] = getattr(default, "default", default)
    return whole


async def wait_for_run(run_id):
    from awslabs.aws_healthomics_mcp_server.utils.aws_utils import get_omics_client

    while True:
        status = get_omics_client().get_run(id=run_id)["status"]
        if status in ("COMPLETED", "FAILED", "CANCELLED"):
            return {"status": status}
        await asyncio.sleep(0.1)


async def main():
    answers = []
    for call in json.load(sys.stdin):
        given = filled(call["with"], answers)
        if call["tool"] == "wait":
            answers.append({"answer": await wait_for_run(given["run"]), "errors": []})
            continue
        module, name = call["tool"].split(".")
        function = getattr(importlib.import_module(f"{package}.{module}"), name)
        context = Context()
        answer = await function(ctx=context, **arguments(function, given))
        errors = [str(error) for error in getattr(context, "errors", [])]
        answers.append({"answer": answer, "errors": errors})
    print(json.dumps(answers, default=str))


asyncio.run(main())
