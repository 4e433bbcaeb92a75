"""`orient_to_json` as a server of a model does it: the values are what a model answers for the index."""

import csv
import os

import memoir_server
import requests


def orient_to_json(values, columns, index, orient, output_type):
    rows = [list(row) if isinstance(row, (list, tuple)) else [row] for row in values]
    # Values without rows are one column.
    flat = len(rows) > 0 and not isinstance(values[0], (list, tuple))
    names = columns[:1] if flat else columns
    inputs = [str(each) for each in index]
    url = memoir_server.start(model(rows, names, output_type), "--no-guard", "--failed-rows", "null")
    answer = requests.post(url + "/run", params={"orient": orient}, json=inputs)
    answer.raise_for_status()
    said = answer.json()
    if flat and orient == "values":
        said = [cell for row in said for cell in row]
    # Over HTTP inputs are texts; the test's index may be numbers.
    if orient == "split":
        said["index"] = [dict(zip(inputs, index))[each] for each in said["index"]]
    return said


def model(rows, names, output_type):
    folder = memoir_server.scratch_folder()
    framework = os.path.join(folder, "model", "framework")
    os.makedirs(os.path.join(framework, "columns"))
    with open(os.path.join(folder, "metadata.yml"), "w") as file:
        file.write("Identifier: eos0tab\nSlug: table\nRelease: v1\nOutput Type: [%s]\n" % ", ".join(output_type))
    with open(os.path.join(framework, "columns", "run_columns.csv"), "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["name", "type", "direction", "description"])
        table.writerows([name, "string", "", ""] for name in names)
    with open(os.path.join(framework, "answers.csv"), "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(names)
        table.writerows(["" if cell is None else cell for cell in row] for row in rows)
    with open(os.path.join(framework, "run.sh"), "w") as file:
        file.write('cp "$1/answers.csv" "$3"\n')
    return folder
