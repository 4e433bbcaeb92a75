"""Call caching from end to end with an unmodified boto3 on S3: cold, warm, edited, failed and corrected, cancelled, lost."""
import io, json, sys, time, zipfile
import boto3

bucket, role, engine = sys.argv[1:4]
omics, s3 = boto3.client("omics"), boto3.client("s3")

WDL = """version 1.1
task greet {
  input { String name }
  command <<< GREET >>>
  output { File out = "out.txt" }
}
task join {
  input { Array[File] parts }
  command <<< JOIN >>>
  output { File all = "all.txt" }
}
workflow hello {
  input { Array[String] names }
  scatter (n in names) { call greet { input: name = n } }
  call join { input: parts = greet.out }
  output { File all = join.all }
}
"""


NEXTFLOW = """process greet {
  input: path 'name.txt'
  output: path '*.greeting'
  script: '''GREET; mv out.txt $(basename $(readlink -f name.txt)).greeting'''
}
process join {
  publishDir '/mnt/workflow/pubdir'
  input: path 'part?.txt'
  output: path 'all.txt'
  script: '''JOIN'''
}
workflow { join(greet(channel.fromPath(params.names)).collect(sort: { it.name })) }
"""

LANGUAGES = {
    "WDL": {"main": "main.wdl", "text": WDL, "NAME": "~{name}", "PARTS": "~{sep=' ' parts}",
            "parameters": {"names": ["a", "b"]}},
    "NEXTFLOW": {"main": "main.nf", "text": NEXTFLOW, "NAME": "$(cat name.txt)", "PARTS": "part*.txt",
                 "parameters": {"names": f"s3://{bucket}/names/*.txt"}},
}
language = LANGUAGES[engine]


def workflow(greet="echo hello NAME > out.txt", join="cat PARTS > all.txt"):
    data = io.BytesIO()
    text = language["text"].replace("GREET", greet).replace("JOIN", join)
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(language["main"], text.replace("NAME", language["NAME"]).replace("PARTS", language["PARTS"]))
    made = omics.create_workflow(name="hello", engine=engine, definitionZip=data.getvalue())
    omics.get_waiter("workflow_active").wait(id=made["id"])
    return made["id"]


def cache(place, behavior):
    return omics.create_run_cache(cacheS3Location=f"s3://{bucket}/{place}", cacheBehavior=behavior)["id"]


def start(workflow_id, cache_id, **settings):
    return omics.start_run(workflowId=workflow_id, roleArn=role, outputUri=f"s3://{bucket}/outputs",
                           cacheId=cache_id, parameters=language["parameters"], **settings)["id"]


def ended(run_id):
    while True:
        run = omics.get_run(id=run_id)
        if run["status"] in ("COMPLETED", "FAILED", "CANCELLED"):
            return run
        time.sleep(0.05)


def tasks(run_id):
    pages = omics.get_paginator("list_run_tasks").paginate(id=run_id, PaginationConfig={"PageSize": 2})
    return sorted((task for page in pages for task in page["items"]), key=lambda task: task["name"])


def read(uri):
    name, key = uri[len("s3://"):].split("/", 1)
    return s3.get_object(Bucket=name, Key=key)["Body"].read().decode()


def outcome(run):
    hits = "".join("h" if task["cacheHit"] else "c" for task in tasks(run["id"]))
    return f"{run['status']} {hits}"


def output(run):
    if engine == "NEXTFLOW":
        return read(run["runOutputUri"] + "/pubdir/all.txt")
    return read(json.loads(read(run["runOutputUri"] + "/logs/outputs.json"))["hello.all"])


def play(workflow_id, cache_id, **settings):
    return ended(start(workflow_id, cache_id, **settings))


for name in "a", "b":
    s3.put_object(Bucket=bucket, Key=f"names/{name}.txt", Body=name.encode())
report = {}
always, first = cache("always", "CACHE_ALWAYS"), workflow()
cold = play(first, always)
warm = play(first, always)
report["cold"], report["warm"] = outcome(cold), outcome(warm)
report["engine version"] = cold.get("engineVersion")
report["equal bytes"] = [output(cold), output(cold) == output(warm)]
edited = play(workflow(greet="echo goodbye NAME > out.txt"), always)
report["edited"] = outcome(edited)
report["only join edited"] = outcome(play(workflow(join="cat PARTS | tac > all.txt"), always))

failing = cache("on-failure", "CACHE_ON_FAILURE")
report["failed"] = outcome(play(workflow(join="exit 3"), failing))
report["corrected"] = outcome(play(first, failing))

slow = start(workflow(greet="echo slow NAME > out.txt", join="sleep 7654"), always)
while [task["status"] for task in tasks(slow)] != ["COMPLETED", "COMPLETED", "RUNNING"]:
    time.sleep(0.05)
omics.cancel_run(id=slow)
report["cancelled"] = outcome(ended(slow))
report["after cancel"] = outcome(play(workflow(greet="echo slow NAME > out.txt"), always))

entry = next(task["cacheS3Uri"] for task in tasks(warm["id"]) if task["name"] == "join")
prefix = entry[len(f"s3://{bucket}/"):]
for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
    s3.delete_object(Bucket=bucket, Key=item["Key"])
lost = play(first, always)
report["lost"] = outcome(lost)
report["lost bytes"] = output(lost) == output(cold)
report["healed"] = outcome(play(first, always))
try:
    omics.get_waiter("run_completed").wait(id=slow, WaiterConfig={"Delay": 1, "MaxAttempts": 2})
except Exception as error:
    report["waiter on cancelled"] = type(error).__name__
omics.get_waiter("run_completed").wait(id=lost["id"])
print(json.dumps(report))
