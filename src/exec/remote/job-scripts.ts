/**
 * The two scripts that stand around a task where no disk is shared. Both run in a small helper image (`/bin/sh`, `find`,
 * `sha256sum`, `md5sum`), so that the task's own image needs nothing but `/bin/sh`:
 *
 *   prepare   copies what was staged to where the task sees it, and compares every copy with the digest that its call was
 *             identified with. A task never begins with other bytes.
 *   publish   lists what the task left, with digests that are computed where the bytes are, and moves it to the folder that
 *             the service uploads.
 *
 * The listing is the last file that is written, and its last record says that it is whole. Records, each field ended by
 * NUL, since a name may hold anything else:
 *
 *   file PATH SIZE SHA256 MD5 x|- OBJECT     OBJECT is the name below `files/`; `=` = the input that was staged there
 *   link PATH TARGET     directory PATH     special PATH WHAT     text PATH CONTENT     end
 */
import { bytesOfText } from "../../kernel/index.ts";
import { taskRoot } from "../../task/index.ts";
import { quoted } from "../core/index.ts";

/** Where the service puts what it brings, before `prepare` copies it. Not writable for tasks in most services. */
export const stagedFolder = "/mnt/memoir-staged";
/** What the service uploads. In the same volume as everything else, so that moving is not copying. */
export const publishedFolder = `${taskRoot}/published`;
export const listingName = "listing";

export interface PreparedFile {
  /** In the container. */
  readonly staged: string;
  /** Where the task sees it; the same as `staged` for what the service itself puts there. */
  readonly path: string;
  readonly sha256: string | undefined;
  readonly sizeBytes: number | undefined;
  readonly executable: boolean;
}

export interface PrepareOrder {
  readonly files: readonly PreparedFile[];
  readonly folders: readonly string[];
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Absolute paths below which the task may write. */
  readonly roots: readonly string[];
}

export function prepareScript(order: PrepareOrder): Buffer {
  const lines = [
    ...order.folders.map((path) => `folder ${quoted(path)}`),
    ...order.files.map(({ staged, path, sha256, sizeBytes, executable }) =>
      ["take", quoted(staged), sha256 ?? "-", sizeBytes ?? "-", executable ? "x" : "-", quoted(path)].join(
        " ",
      ),
    ),
    ...order.links.map(({ path, target }) => `link ${quoted(target)} ${quoted(path)}`),
    // This script is root; the image of the task may have another user.
    ...order.roots.map((path) => `open ${quoted(path)}`),
  ];
  return bytesOfText(`${prepareText}${lines.join("\n")}\n`);
}

const prepareText = `umask 022
fail() { echo "memoir: $*" >&2; exit 1; }
folder() { mkdir -p "$1" || fail "the folder $1 cannot be made"; }
take() {
  if [ "$1" != "$5" ]; then
    mkdir -p "\${5%/*}" && cp "$1" "$5" && chmod u+w "$5" || fail "the input $5 cannot be copied"
    [ "$4" = - ] || chmod +x "$5" || fail "the input $5 cannot be made executable"
  fi
  if [ "$2" != - ]; then
    is=$(sha256sum < "$5") || fail "the input $5 cannot be read"
    [ "\${is%% *}" = "$2" ] || fail "the input $5 has the SHA-256 \${is%% *}, expected $2"
  fi
  if [ "$3" != - ]; then
    is=$(wc -c < "$5") || fail "the input $5 cannot be read"
    [ "$is" -eq "$3" ] || fail "the input $5 has $is bytes, expected $3"
  fi
}
open() { chmod -R a+rwX "$1" || fail "the folder $1 cannot be opened to the task"; }
link() { mkdir -p "\${2%/*}" && ln -s "$1" "$2" || fail "the link $2 cannot be made"; }
`;

/**
 * @param roots absolute paths of what is listed; the task root is always the first
 * @param known path of a file with lines `SHA256 PATH` of the inputs that were staged
 */
export function publishScript(roots: readonly string[], known: string): Buffer {
  const others = roots
    .filter((root) => root !== taskRoot)
    .map(quoted)
    .join(" ");
  return bytesOfText(`LC_ALL=C
export LC_ALL
umask 022
root=${taskRoot}
out=${publishedFolder}
known=${quoted(known)}
fail() { echo "memoir: $*" >&2; exit 1; }
text() { printf 'text\\0%s\\0' "$1" && tr -d '\\000' < "$1" && printf '\\0'; }
publish() {
  if [ -L "$1" ]; then printf 'link\\0%s\\0' "$1" && readlink -n "$1" && printf '\\0'
  elif [ -d "$1" ]; then printf 'directory\\0%s\\0' "$1"
  elif [ -f "$1" ]; then
    sha=$(sha256sum < "$1") && md5=$(md5sum < "$1") && size=$(wc -c < "$1") || fail "$1 cannot be read"
    sha=\${sha%% *} md5=\${md5%% *} size=$((size)) mode=-
    [ ! -x "$1" ] || mode=x
    case $1 in "$root"/rc | "$root"/usage.json) [ $size -gt 4096 ] || text "$1" || fail "$1 cannot be read" ;; esac
    if grep -qxF -e "$sha $1" "$known"; then object='='
    else
      case $1 in "$root"/*) object=\${1#"$root"/} ;; *) object=outside$1 ;; esac
      case $object in *[!A-Za-z0-9._/-]*)
        object=$(printf %s "$object" | sha256sum) && object=.memoir-name-\${object%% *} || fail "no name for $1" ;;
      esac
      case $object in */*) mkdir -p "$out/files/\${object%/*}" ;; esac
      mv -f "$1" "$out/files/$object" || fail "$1 cannot be published"
    fi
    printf 'file\\0%s\\0%s\\0%s\\0%s\\0%s\\0%s\\0' "$1" "$size" "$sha" "$md5" "$mode" "$object"
  elif [ -p "$1" ]; then printf 'special\\0%s\\0a named pipe (FIFO)\\0' "$1"
  elif [ -S "$1" ]; then printf 'special\\0%s\\0a socket\\0' "$1"
  else printf 'special\\0%s\\0a device\\0' "$1"
  fi
}
if [ "\${1-}" = some ]; then
  shift
  for path do publish "$path" || fail "$path cannot be listed"; done
  exit 0
fi
rm -rf "$out" && mkdir -p "$out/files" || fail "$out cannot be made"
{
  find $root ! -path $root -a \\( -path $out -o -path $root/tmp -o -path $root/command \\) -prune -o ! -path $root \\
    -exec /bin/sh "$0" some {} + || fail "what the task left cannot be listed"
  for other in ${others === "" ? '""' : others}; do
    [ -n "$other" ] || continue
    find "$other" -exec /bin/sh "$0" some {} + || fail "$other cannot be listed"
  done
  printf 'end\\0'
} > "$out/listing.new" || fail "the listing cannot be written"
mv "$out/listing.new" "$out/${listingName}" || fail "the listing cannot be written"
`);
}
