/**
 * Every error code of Memoir, one row each. docs/errors.md is generated from this table and a test keeps them equal.
 * Codes are AREA_THING_PROBLEM. `kind` decides the exit code (cli) and the HTTP status (server).
 */
export type ErrorKind =
  | "usage" // the command line was used wrongly: exit 2
  | "input" // the user's data or text is wrong: exit 3
  | "not-found" // something named does not exist: exit 3
  | "environment" // machine, network, credentials, disk: exit 4
  | "conflict" // refused because of another run or state: exit 4
  | "damaged" // stored data is not what was written: exit 4
  | "failed" // the user's computation failed as a whole: exit 1
  | "interrupted" // the user stopped it: exit 130
  | "unfinished"; // more of the same work is to be done first: exit 75

export interface CatalogueRow {
  readonly kind: ErrorKind;
  /** `reading`: the trouble is with bytes where they are stored, and not with where they are wanted. */
  readonly fails?: "reading";
  /** Whether the same request may succeed later without a change by the user. */
  readonly retry: "never" | "later";
  /** What to do next, one or two sentences. */
  readonly hint: string;
}

export const catalogue = {
  RUN_INTERRUPTED: {
    kind: "interrupted",
    retry: "later",
    hint: "Finished work is kept. Run the same command again to resume where it left off.",
  },
  OUTPUT_READER_GONE: {
    kind: "environment",
    retry: "later",
    hint: "The program that reads standard output ended first. Computed results are in the caches.",
  },
  FILE_NOT_FOUND: {
    kind: "not-found",
    fails: "reading",
    retry: "never",
    hint: "Check the path; relative paths start at the current folder.",
  },
  FILE_NOT_READABLE: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Check the permissions of the file and its folders.",
  },
  FILE_CHANGED: {
    kind: "environment",
    fails: "reading",
    retry: "later",
    hint: "Another program writes to the file while the run reads it. Run again once the file is complete; finished work is kept.",
  },
  FILE_NOT_REGULAR: {
    kind: "input",
    fails: "reading",
    retry: "never",
    hint: "Pipes, sockets and devices cannot be inputs or outputs. Write the data to a file and use that file.",
  },
  FILE_NOT_UTF8: {
    kind: "input",
    fails: "reading",
    retry: "never",
    hint: "Text is read as UTF-8. Convert the file, for example with `iconv -f latin1 -t utf-8`, or give its path to a task instead of reading it.",
  },
  DIRECTORY_TOO_LARGE: {
    kind: "input",
    retry: "never",
    hint: "Use a smaller folder, pack it into an archive, or remove links in it that point to other folders.",
  },
  OUTPUT_OVER_INPUT: {
    kind: "input",
    retry: "never",
    hint: "Choose another folder with --out (cwl-runner: --outdir). The input is unchanged; what was computed is in the cache, if there is one.",
  },
  OUTPUT_NOT_RECORDABLE: {
    kind: "input",
    retry: "never",
    hint: "The result is used in this run but not recorded, so the next run computes it again. Change the task to remove the link.",
  },
  HOME_UNUSABLE: {
    kind: "environment",
    retry: "never",
    hint: "Set MEMOIR_HOME to a folder that you can read and write; it is created if it does not exist. The default is .memoir in your home folder.",
  },
  FILE_NAME_UNUSABLE: {
    kind: "input",
    fails: "reading",
    retry: "never",
    hint: "The object's name cannot be used as a file name. Copy the object to another name and use that.",
  },
  FILE_UNREACHABLE: {
    kind: "environment",
    fails: "reading",
    retry: "later",
    hint: "Check the address and the network, or download the file first and use its path.",
  },
  FILE_OUT_OF_REACH: {
    kind: "input",
    fails: "reading",
    retry: "never",
    hint: "Documents of a bundle or a server may read only their own files, inputs of the run, and folders that --files allows.",
  },
  FILE_NOT_WRITABLE: {
    kind: "environment",
    retry: "never",
    hint: "Choose another output path, or make the folder writable. Nothing was written.",
  },
  DISK_FULL: {
    kind: "environment",
    retry: "later",
    hint: "Free disk space and run the same command again; finished work is kept.",
  },
  MACHINE_TOO_MANY_FILES: {
    kind: "environment",
    retry: "later",
    hint: "Raise the limit of open files (ulimit -n), or run fewer tasks at the same time.",
  },
  MACHINE_OUT_OF_MEMORY: {
    kind: "environment",
    retry: "later",
    hint: "Free memory or raise its limit (ulimit -v, -u), or work on smaller values; finished work is kept.",
  },
  MACHINE_INPUT_OUTPUT_ERROR: {
    kind: "environment",
    retry: "later",
    hint: "Check the disk and the file system (dmesg), then run the same command again; finished work is kept.",
  },
  STORE_URI_INVALID: {
    kind: "usage",
    fails: "reading",
    retry: "never",
    hint: "Use a folder path, file:///folder, s3://bucket/prefix, dynamodb://TABLE?parquet=s3://bucket/prefix, athena://DATABASE?workgroup=NAME or https://host.",
  },
  STORE_NAME_INVALID: {
    kind: "input",
    fails: "reading",
    retry: "never",
    hint: "Names inside a store are relative, use / between parts, and have no empty, `.` or `..` part.",
  },
  STORE_OBJECT_NOT_FOUND: {
    kind: "not-found",
    fails: "reading",
    retry: "never",
    hint: "The object was removed, expired or never written. Run again: Memoir computes missing results.",
  },
  STORE_OBJECT_DAMAGED: {
    kind: "damaged",
    fails: "reading",
    retry: "never",
    hint: "The stored bytes differ from what was written. Remove the named object; Memoir computes and stores it again.",
  },
  STORE_NOT_READABLE: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Check the permissions of the store's folder, and that every part of its path is a folder.",
  },
  STORE_NOT_WRITABLE: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Make the store's folder writable, or use another one. No incomplete file was left behind.",
  },
  STORE_UNREACHABLE: {
    kind: "environment",
    fails: "reading",
    retry: "later",
    hint: "Check the endpoint's address, that the server is running, and that this machine can reach it (proxy, firewall).",
  },
  STORE_CREDENTIALS_MISSING: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile with AWS_PROFILE, or run `aws configure`.",
  },
  STORE_CREDENTIALS_REFUSED: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "The server rejects these credentials, or they have expired. Check the access key, the secret, the session token and this machine's clock.",
  },
  STORE_ACCESS_DENIED: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "The credentials are valid but lack a permission. Request s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject on a bucket; dynamodb:BatchGetItem and dynamodb:BatchWriteItem on a table, and dynamodb:Scan to drop rows; for Athena see docs/tiers/athena.md.",
  },
  STORE_BUCKET_NOT_FOUND: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Check the bucket's name and the endpoint, or create the bucket. Memoir never creates buckets.",
  },
  STORE_API_REFUSED: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Check that the address is that of a `memoir server` without /v1, and that both have compatible versions.",
  },
  STORE_QUERY_FAILED: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Check the database, the workgroup and its output location, and that the table was made by `memoir athena ddl`.",
  },
  STORE_TABLE_NOT_USABLE: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Check the table's name, region and endpoint. Memoir never creates tables: the partition key is k (binary), the sort key m (string).",
  },
  STORE_TABLE_WITHOUT_FILES: {
    kind: "usage",
    fails: "reading",
    retry: "never",
    hint: "Name the Parquet files next to the table: dynamodb://TABLE?parquet=s3://bucket/prefix.",
  },
  STORE_WRONG_REGION: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Set AWS_REGION to the region of the bucket or table.",
  },
  STORE_REQUEST_FAILED: {
    kind: "environment",
    fails: "reading",
    retry: "later",
    hint: "The store returned a temporary error. Try again; if the error persists, contact the administrator of the store.",
  },
  PROCESS_START_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "The operating system refused to start the program: check the working directory, free memory and the limits on processes and open files.",
  },
  PREDICT_FORMAT_UNKNOWN: {
    kind: "usage",
    retry: "never",
    hint: "Use .csv, .tsv, .smi or .json for inputs, and .csv, .tsv, .json or .h5 for outputs. For other names, set --input-format and --output-format.",
  },
  PREDICT_NOTHING_TO_IMPORT: {
    kind: "input",
    retry: "never",
    hint: "Name a .csv, .tsv, .csv.gz, .tsv.gz or .parquet file, or a folder or an s3:// prefix that contains such files of the model. `memoir info MODEL` lists its columns.",
  },
  PREDICT_INPUT_EMPTY: {
    kind: "input",
    retry: "never",
    hint: "Write a header line such as `smiles` and then one input per line.",
  },
  PREDICT_INPUT_COLUMNS_UNCLEAR: {
    kind: "input",
    retry: "never",
    hint: "Name the column `smiles` or `input`, or select it with --column NAME. An import also needs the model's columns (`memoir info MODEL` lists them).",
  },
  PREDICT_INPUT_MALFORMED: {
    kind: "input",
    retry: "never",
    hint: 'In CSV and TSV, quote cells that contain a separator, a quote or a line break: "a,b"; double a quote inside. A JSON file is one list: ["CCO", "CCC"].',
  },
  PREDICT_INPUT_NOT_UTF8: {
    kind: "input",
    retry: "never",
    hint: "Save the file as UTF-8, for example: iconv -f LATIN1 -t UTF-8 old.csv > new.csv",
  },
  PREDICT_INPUT_CELL_TOO_LARGE: {
    kind: "input",
    retry: "never",
    hint: "A cell may have up to 8 MiB. The usual cause is an unclosed quote earlier in the file.",
  },
  PREDICT_INPUT_IS_OUTPUT: {
    kind: "usage",
    retry: "never",
    hint: "Choose another file with -o.",
  },
  PREDICT_OUTPUT_TOO_LARGE: {
    kind: "usage",
    retry: "never",
    hint: "Write .csv or .json instead; they have no size limit.",
  },
  PREDICT_OUTPUT_BUSY: {
    kind: "conflict",
    retry: "later",
    hint: "Wait for the other run to end, or write to another file.",
  },
  PREDICT_DUMP_NEEDS_MODE: {
    kind: "usage",
    retry: "never",
    hint: "Serve the model with --local-cache-only, --cloud-cache-only or --cache-only, or give one of them to dump.",
  },
  PREDICT_TIER_NOT_CONFIGURED: {
    kind: "usage",
    retry: "never",
    hint: "Name the tier with --local or --cloud (or MEMOIR_LOCAL, MEMOIR_CLOUD).",
  },
  PREDICT_NOT_REUSABLE: {
    kind: "usage",
    retry: "never",
    hint: "Models with variable output are computed each time; `memoir info MODEL` explains why.",
  },
  PREDICT_RUNNER_BROKE: {
    kind: "failed",
    retry: "later",
    hint: "`memoir info` shows how the model is run and which packages it needs. Finished rows are kept; run the same command again to resume.",
  },
  HUB_LIST_INVALID: {
    kind: "input",
    retry: "never",
    hint: "Expected a JSON list of objects that have an Identifier, such as Ersilia's models.json.",
  },
  HUB_LIST_UNREACHABLE: {
    kind: "environment",
    retry: "later",
    hint: "Name a file, URL or S3 object with --hub-list or MEMOIR_HUB; --offline shows the copy that was kept.",
  },
  SIMILAR_INDEX_OLD: {
    kind: "conflict",
    retry: "never",
    hint: "Use --index update (the default), which adds the molecules that are new in the cache.",
  },
  PREDICT_NOTHING_COMPUTED: {
    kind: "failed",
    retry: "never",
    hint: "The output lists every row as failed. Check that the inputs have the form that the model expects; `memoir example` creates valid ones.",
  },
  BATCH_PLAN_INVALID: {
    kind: "input",
    retry: "never",
    hint: "Name the file that `memoir batch plan -o` wrote, as it was written; run `memoir batch plan` again if it was changed.",
  },
  BATCH_INPUT_CHANGED: {
    kind: "input",
    retry: "never",
    hint: "Slices are computed and merged only for the input that was planned. Restore the file, name it with --input if it was moved, or make a new plan with `memoir batch plan`.",
  },
  BATCH_OTHER_MODEL: {
    kind: "input",
    retry: "never",
    hint: "All slices of a plan are computed by the model that it was made for. Install that release, or make a new plan with `memoir batch plan`.",
  },
  BATCH_SLICE_FAILED: {
    kind: "failed",
    retry: "later",
    hint: "Slices that are done are kept. Correct what the message says, and run the same command again to compute the others.",
  },
  BATCH_UNFINISHED: {
    kind: "unfinished",
    retry: "later",
    hint: "Compute the slices that are named with `memoir batch work PLAN --slice N`; `memoir batch status PLAN` lists them. Nothing was written.",
  },
  SESSION_NOT_OPEN: {
    kind: "usage",
    retry: "never",
    hint: "Open a session with `memoir serve MODEL`, or name the model in the command: --model MODEL.",
  },
  SESSION_NAME_INVALID: {
    kind: "usage",
    retry: "never",
    hint: "Use 1 to 64 letters, digits, dots, dashes and underscores, starting with a letter or digit.",
  },
  SESSION_DAMAGED: {
    kind: "damaged",
    retry: "never",
    hint: "Open the session again with `memoir serve MODEL`.",
  },
  STORE_TIER_UNREACHABLE: {
    kind: "environment",
    fails: "reading",
    retry: "later",
    hint: "Check that the server is running and that its address is correct; `memoir doctor` checks every tier.",
  },
  STORE_TIER_REFUSED: {
    kind: "environment",
    fails: "reading",
    retry: "never",
    hint: "Check the user name, the password, the database and the permissions in the tier's URL or credentials.",
  },
  STORE_TIER_FULL: {
    kind: "environment",
    fails: "reading",
    retry: "later",
    hint: "Free space or raise the server's memory limit. Results are still computed, but not stored.",
  },
  STORE_TIER_DAMAGED: {
    kind: "damaged",
    fails: "reading",
    retry: "never",
    hint: "Move the store's folder away; the next run creates a new one and fills it again.",
  },
  STORE_URL_INVALID: {
    kind: "usage",
    fails: "reading",
    retry: "never",
    hint: "Write redis://host:6379/0, rediss://host:6379/0 or redis+unix:///path/to/socket?db=0.",
  },
  RUN_FOLDER_NOT_WRITABLE: {
    kind: "environment",
    retry: "never",
    hint: "Choose another folder for runs with --runs-dir, or make the folder writable.",
  },
  RUN_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "`memoir runs list` lists the runs in this folder; --runs-dir selects another one.",
  },
  TRACE_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "Runs whose folders were deleted cannot be traced; --runs-dir selects another folder of runs, and MEMOIR_HOME another home.",
  },
  RUN_WITHOUT_OUTPUTS: {
    kind: "conflict",
    retry: "never",
    hint: "`memoir runs show` shows how the run ended; files that its calls produced are in the run's folder.",
  },
  RUN_NOT_REPEATABLE: {
    kind: "conflict",
    retry: "never",
    hint: "Run the workflow with `memoir run`; runs of the server are started again with StartRun and their runId.",
  },
  RUN_NOT_RUNNING: {
    kind: "conflict",
    retry: "never",
    hint: "`memoir runs show` shows how the run ended.",
  },
  RUN_STILL_RUNNING: {
    kind: "conflict",
    retry: "later",
    hint: "Wait until it has ended, or stop it with `memoir runs cancel`.",
  },
  CACHE_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "`memoir cache list` lists the caches; `memoir cache create` creates one. A path or s3:// URI works, too.",
  },
  CACHE_EXISTS: {
    kind: "conflict",
    retry: "never",
    hint: "Choose another name, or change the cache with `memoir cache update`.",
  },
  CACHE_IN_USE: {
    kind: "conflict",
    retry: "later",
    hint: "Wait for the runs that use it, or stop them with `memoir runs cancel`.",
  },
  CACHE_AMBIGUOUS: {
    kind: "damaged",
    retry: "never",
    hint: "Decide which entries belong to the location: write one of the uuids to the named file. No entry is lost.",
  },
  CACHE_DAMAGED: {
    kind: "damaged",
    retry: "never",
    hint: "The file that describes the cache cannot be read. Remove it and create the cache again; its entries are kept.",
  },
  CACHE_ENTRY_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "`memoir cache entries` lists the entries.",
  },
  WORKFLOW_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "Name a workflow file, a folder with a main document, or a zip bundle; --main chooses among several documents.",
  },
  WORKFLOW_FETCH_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "Check the address, the revision and the network, then run again. Pipelines that are kept on this machine run without a network.",
  },
  WORKFLOW_BUNDLE_UNSAFE: {
    kind: "input",
    retry: "never",
    hint: "The bundle was refused and nothing of it was kept. Create a zip that contains only regular files and folders.",
  },
  WORKFLOW_BUNDLE_DAMAGED: {
    kind: "input",
    retry: "never",
    hint: "The file is not a complete zip archive. Create or download it again.",
  },
  WORKFLOW_DOCUMENT_UNREACHABLE: {
    kind: "environment",
    retry: "later",
    hint: "Check the address and the network, or copy the imported document next to the others and import it by its path.",
  },
  WORKFLOW_DOCUMENT_REFUSED: {
    kind: "input",
    retry: "never",
    hint: "Imported documents must be text within the size limit, and those of a bundle must be inside the bundle.",
  },
  WORKFLOW_INVALID: {
    kind: "input",
    retry: "never",
    hint: "Correct the errors shown above; `memoir check` reports them without running anything.",
  },
  WORKFLOW_TARGET_UNCLEAR: {
    kind: "usage",
    retry: "never",
    hint: "Select the workflow or task with --target NAME, or use a document that has a workflow.",
  },
  WORKFLOW_INPUTS_INVALID: {
    kind: "input",
    retry: "never",
    hint: "`memoir inputs` prints a template with all names and types.",
  },
  CWL_ENGINE_MISSING: {
    kind: "environment",
    retry: "never",
    hint: "Install the package quickjs-emscripten next to Memoir, or leave out --js-engine quickjs.",
  },
  EXEC_ENGINE_NOT_FOUND: {
    kind: "environment",
    retry: "never",
    hint: "Install Docker, Podman or Apptainer and check that it is running (`docker info`, `podman info`), set DOCKER_HOST to its socket, or run without containers: --executor host.",
  },
  EXEC_ENGINE_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "Check that the container engine is running (`docker info`, `podman info`) and has disk space, then run the same command again; finished work is kept.",
  },
  EXEC_SCHEDULER_NOT_FOUND: {
    kind: "environment",
    retry: "never",
    hint: "Run Memoir where the scheduler's commands are on PATH (a login node; often after `module load slurm`), or choose another --executor. `memoir doctor` checks it.",
  },
  EXEC_SCHEDULER_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "Check that the scheduler answers (`scontrol ping`, `squeue --me`), then run the same command again; jobs that run keep running and are found again.",
  },
  EXEC_SERVICE_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "Check the address of the service (--tes-url) and the credentials (MEMOIR_TES_TOKEN, or MEMOIR_TES_USER and MEMOIR_TES_PASSWORD), then run the same command again; tasks that run keep running and are found again. `memoir doctor` checks the service that MEMOIR_TES_URL names.",
  },
  EXEC_JOB_REFUSED: {
    kind: "environment",
    retry: "never",
    hint: "The message contains the scheduler's error. Check what names the place of the job (--partition, --account, --qos and --constraint on Slurm; --job-queue, --job-role and the image on AWS Batch) and what the task asks for against what the cluster or service has (`sinfo --long` for Slurm).",
  },
  EXEC_START_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "The message contains the system's error. `memoir doctor` checks the requirements of tasks on this machine.",
  },
  EXEC_INPUT_MISSING: {
    kind: "not-found",
    retry: "never",
    hint: "The file existed when the run began. Restore it, or start a new run with the correct path.",
  },
  EXEC_ISOLATION_UNAVAILABLE: {
    kind: "environment",
    retry: "never",
    hint: "Install bubblewrap (`apt-get install bubblewrap`; Linux only), or leave out --isolate. A model server that runs already cannot be isolated; use the model's folder or image.",
  },
  EXEC_IMAGE_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "Check the image's name and tag. A local image must exist in the engine that Memoir uses (`docker images`, `podman images`).",
  },
  EXEC_IMAGE_NOT_MADE: {
    kind: "environment",
    retry: "never",
    hint: "The message contains the engine's error. Try the Dockerfile or the archive with `docker build`, `docker load` or `podman load`; builds need network access for packages that they install.",
  },
  EXEC_SOFTWARE_NOT_MADE: {
    kind: "environment",
    retry: "never",
    hint: "The message contains the package manager's error. Install conda, mamba or micromamba and put it on PATH, check the names of packages and channels, or use containers.",
  },
  EXEC_IMAGE_REFUSED: {
    kind: "environment",
    retry: "never",
    hint: "Log in to the registry (`docker login HOST` or `podman login HOST`) with an account that may pull the image. Some registries also return this error for images that do not exist.",
  },
  EXEC_REGISTRY_UNREACHABLE: {
    kind: "environment",
    retry: "later",
    hint: "Check the network and the registry's name. Images pulled before can be used without the registry.",
  },
  CONFIG_INVALID: {
    kind: "input",
    retry: "never",
    hint: "Correct the file; `memoir config` shows which settings there are. --no-config leaves all configuration files out.",
  },
  CONFIG_PROFILE_NOT_FOUND: {
    kind: "usage",
    retry: "never",
    hint: "Profiles are tables such as [profile.cluster] in memoir.toml or in config.toml of Memoir's home; `memoir config` lists them.",
  },
  CLI_USAGE: {
    kind: "usage",
    retry: "never",
    hint: "`memoir COMMAND --help` lists the flags and shows an example.",
  },
  MODEL_SOURCE_INVALID: {
    kind: "usage",
    retry: "never",
    hint: "Name a model folder, a git URL, an archive (.zip, .tar.gz, .tgz), the URL of a running model server, or an Ersilia id such as eos3b5e. --version works only with git sources.",
  },
  MODEL_NOT_FOUND: {
    kind: "not-found",
    retry: "never",
    hint: "`memoir catalog` lists the installed models; `memoir fetch` installs others.",
  },
  MODEL_BUILTIN: {
    kind: "usage",
    retry: "never",
    hint: "Built-in models are part of Memoir and cannot be deleted.",
  },
  MODEL_PACKAGE_INVALID: {
    kind: "input",
    retry: "never",
    hint: "A model folder needs metadata.yml (or .json), model/framework/run.sh and model/framework/columns/run_columns.csv. docs/models.md shows a complete example.",
  },
  MODEL_LFS_POINTER: {
    kind: "environment",
    retry: "never",
    hint: "The file is a Git-LFS pointer, not the data. Run `git lfs install && git lfs pull` in the model's repository, then fetch the folder again.",
  },
  MODEL_FETCH_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "Check the address and the network, then fetch again. The previously installed model is unchanged.",
  },
  MODEL_ARCHIVE_UNSAFE: {
    kind: "input",
    retry: "never",
    hint: "The archive was refused and nothing of it was kept. Create an archive that contains only the model's regular files and folders.",
  },
  MODEL_SERVER_UNREACHABLE: {
    kind: "environment",
    retry: "later",
    hint: "Start the model server and check its address; `curl <url>/` must answer with the model's id.",
  },
  MODEL_SERVER_ANSWER: {
    kind: "environment",
    retry: "never",
    hint: "The server does not use the expected protocol. Check that the address belongs to a server of this model.",
  },
  MODEL_IMAGE_MISSING: {
    kind: "environment",
    retry: "later",
    hint: "Check the image's name (`docker images`, `podman images`) and the network, or log in to its registry; then fetch the model again.",
  },
  MODEL_CONTAINER_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "The message has the engine's words. Try the image by hand: `docker run --rm IMAGE` or `podman run --rm IMAGE`.",
  },
  MODEL_RUN_FAILED: {
    kind: "failed",
    retry: "never",
    hint: "The end of the model's error output is shown above. To find the cause, run the model by hand: `bash model/framework/run.sh model/framework in.csv out.csv`.",
  },
  MODEL_RUN_TIMEOUT: {
    kind: "failed",
    retry: "later",
    hint: "Use smaller batches (-b), or allow more time per batch (--timeout).",
  },
  MODEL_OUTPUT_MISMATCH: {
    kind: "failed",
    retry: "never",
    hint: "The model must write one row per input, in the order of the inputs, with exactly the columns of run_columns.csv. No row of this batch was kept.",
  },
  MODEL_TOOLKIT_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "The chemistry toolkit could not be loaded: reinstall Memoir's dependencies with npm ci, and check that enough memory is free.",
  },
  RUN_INPUT_MISSING: {
    kind: "not-found",
    retry: "never",
    hint: "Check the URI in the run's parameters, and that the credentials have permission to read it.",
  },
  RUN_INPUT_INVALID: {
    kind: "input",
    retry: "never",
    hint: "Write inputs as s3://bucket/key, as s3://bucket/prefix/ for all objects below it, or as files where the server allows them.",
  },
  RUN_IMPORT_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "Check the endpoint and the permissions of the server's credentials on the bucket, then start the run again.",
  },
  RUN_INPUT_MODIFIED: {
    kind: "conflict",
    retry: "later",
    hint: "Results cannot be trusted if inputs change during the run. Start the run again.",
  },
  RUN_MEMORY_EXCEEDED: {
    kind: "failed",
    retry: "never",
    hint: "Scripts that keep less at a time need less memory: lists and channels of many items, files that are read as a whole. `memoir server --run-memory` allows more.",
  },
  RUN_PROCESS_LOST: {
    kind: "failed",
    retry: "later",
    hint: "The system or a person ended the process of this run. If the machine ran out of memory, lower --run-memory or --max-runs of `memoir server`. Start the run again: finished tasks in its cache are reused.",
  },
  RUN_EXPORT_FAILED: {
    kind: "environment",
    retry: "later",
    hint: "The tasks' results are kept in the cache: start the run again once the output location can be written.",
  },
  SERVER_KEYS_INVALID: {
    kind: "input",
    retry: "never",
    hint: 'Write for example [{"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "…", "account": "111111111111"}] and make the file readable only by you.',
  },
  SERVER_KEYS_MISSING: {
    kind: "usage",
    retry: "never",
    hint: "Add --access-keys FILE, or listen on 127.0.0.1.",
  },
  SERVER_PORT_NOT_USABLE: {
    kind: "environment",
    retry: "later",
    hint: "Choose another port with --port, or stop the program that uses this one.",
  },
  SERVER_HOME_IN_USE: {
    kind: "conflict",
    retry: "later",
    hint: "Stop the other server, or use another home folder (MEMOIR_HOME) for this one.",
  },
  SERVER_PLACE_REFUSED: {
    kind: "input",
    retry: "never",
    hint: "Use s3:// locations, or start the server with --files FOLDER to allow locations below a folder.",
  },
  LEDGER_NOT_USABLE: {
    kind: "environment",
    retry: "later",
    hint: "Check that the folder is writable, the disk has free space, and no other program locks the file.",
  },
  LEDGER_TOO_NEW: {
    kind: "environment",
    retry: "never",
    hint: "A newer version of Memoir wrote this ledger. Install that version, or use another home folder (MEMOIR_HOME).",
  },
  LEDGER_RECORD_MISSING: {
    kind: "not-found",
    retry: "never",
    hint: "The record has been deleted. List the records again to see which exist.",
  },
  LEDGER_TOKEN_INVALID: {
    kind: "input",
    retry: "never",
    hint: "Start listing from the first page again.",
  },
} as const satisfies Record<string, CatalogueRow>;

export type ErrorCode = keyof typeof catalogue;
