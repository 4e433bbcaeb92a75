/**
 * How a job of AWS Batch moves its files: Batch itself stages nothing. The helper image has `curl` and `/bin/sh`; requests to
 * S3 are signed by curl with the credentials of the job's role, so that nothing in them expires while a job waits.
 */
import { percentEncoded } from "../../hash/index.ts";
import { parseS3Uri } from "../../store/objects/index.ts";
import { publishedFolder, stagedFolder } from "./job-scripts.ts";

export interface S3Place {
  /** Of an S3-compatible server; undefined = AWS. */
  readonly endpoint: string | undefined;
  readonly region: string;
}

/** The URL of an object, encoded as S3 signs it. */
export function objectUrl(uri: string, { endpoint, region }: S3Place): string {
  const { bucket, key } = parseS3Uri(uri);
  const path = key.split("/").map(percentEncoded).join("/");
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, "")}/${bucket}/${path}`;
  // A certificate covers one label: names with dots are written as a part of the path.
  if (bucket.includes(".")) return `https://s3.${region}.amazonaws.com/${bucket}/${path}`;
  return `https://${bucket}.s3.${region}.amazonaws.com/${path}`;
}

const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Defines `get URL FILE` and `put FILE URL`. Secrets are in a file that curl reads, not among its words. */
const transfers = `umask 077
fail() { echo "memoir: $*" >&2; exit 1; }
config=/tmp/memoir-curl
field() { printf %s "$answer" | tr ',{}' '\\n\\n\\n' | sed -n "s/^[[:space:]]*\\"$1\\"[[:space:]]*:[[:space:]]*\\"\\(.*\\)\\"[[:space:]]*$/\\1/p"; }
login() {
  id=\${AWS_ACCESS_KEY_ID-} secret=\${AWS_SECRET_ACCESS_KEY-} token=\${AWS_SESSION_TOKEN-}
  if [ -z "$id" ]; then
    answer=$(curl -sSf --retry 5 "http://169.254.170.2\${AWS_CONTAINER_CREDENTIALS_RELATIVE_URI-}") || fail "the job has no role that gives access to S3"
    id=$(field AccessKeyId) secret=$(field SecretAccessKey) token=$(field Token)
  fi
  printf 'user = "%s:%s"\\naws-sigv4 = "aws:amz:%s:s3"\\n' "$id" "$secret" "$region" > $config
  [ -z "$token" ] || printf 'header = "x-amz-security-token: %s"\\n' "$token" >> $config
}
get() {
  mkdir -p "\${2%/*}" && curl -sSf --retry 5 --config $config -H "x-amz-content-sha256: ${emptySha256}" -o "$2" "$1" || fail "$1 cannot be read"
}
put() {
  sum=$(sha256sum < "$1") && curl -sSf --retry 5 --config $config -H "x-amz-content-sha256: \${sum%% *}" -T "$1" "$2" > /dev/null || fail "$2 cannot be written"
}
`;

/** Words: region, URL of the list (`PATH URL` lines), path of the script that follows. */
export const fetchScript = `region=$1
${transfers}login
mkdir -p ${stagedFolder} && rm -rf ${stagedFolder}/*
get "$2" ${stagedFolder}/list
while read -r path url; do get "$url" "$path" || exit 1; done < ${stagedFolder}/list
exec /bin/sh "$3"
`;

/** Words: region, URL of the folder for outputs, path of the script that comes before. Credentials last for hours. */
export const storeScript = `region=$1
/bin/sh "$3" || exit 1
${transfers}login
cd ${publishedFolder} || exit 1
began=$(date +%s)
find . -type f > /tmp/memoir-files
while read -r name; do
  if [ $(($(date +%s) - began)) -gt 1800 ]; then login; began=$(date +%s); fi
  put "$name" "$2/\${name#./}" || exit 1
done < /tmp/memoir-files
`;
