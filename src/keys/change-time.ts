/**
 * Whether a file's change time shows every later write. Nobody can set the change time on the file systems named here,
 * but two things can still hide a write from it:
 *
 * - A write in the same tick of the file system's clock as the last one.
 * - A write through a shared mapping to a page that is dirty already. The kernel moves the times when a clean page gets
 *   dirty, and a dirty page is clean again at the latest when the kernel's limits for writing back have passed.
 *
 * So a change time counts once it is older than those limits. All file systems named here are local: their clock is the
 * kernel's, which is also ours. On every other file system (FUSE, vfat, 9p, network file systems) the change time may
 * be settable, cached, taken from another machine's clock or missing, and tmpfs never writes pages back; their files are
 * read again each time.
 */
import { type BigIntStats, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { onDisk } from "../kernel/index.ts";

/** `f_type` of statfs(2). */
const reliableTypes: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xf2f52010, // f2fs
  0xca451a4e, // bcachefs
  0x794c7630, // overlayfs, which answers with the times of the layer below
]);

/** What Linux writes back by default: pages dirty for 30 s, looked for every 5 s. */
const defaultLimits = { expireMs: 30_000, intervalMs: 5_000 };

export interface ChangeTimes {
  /**
   * Whether a later write to this file will show in its stamp. `stats` must be from before its content was read.
   * @param lookedAtMs when `stats` were taken, in milliseconds since 1970.
   */
  settled(path: string, stats: BigIntStats, lookedAtMs: number): Promise<boolean>;
  /** Whether the file is on a file system whose change times cannot be set. */
  reliable(path: string, stats: BigIntStats): Promise<boolean>;
}

export interface ChangeTimesParts {
  /** Answers `f_type` of the file system that holds the path. Default: statfs(2). */
  readonly typeOf?: (path: string) => Promise<number>;
  /** Default: read from the kernel. */
  readonly settleMs?: number;
}

export function createChangeTimes(parts: ChangeTimesParts = {}): ChangeTimes {
  const typeOf = parts.typeOf ?? (async (path: string) => (await statfs(onDisk(path))).type);
  const byDevice = new Map<bigint, Promise<boolean>>();
  let settleMs = parts.settleMs;

  const reliable = (path: string, { dev }: BigIntStats): Promise<boolean> => {
    const known = byDevice.get(dev);
    if (known !== undefined) return known;
    const asked =
      process.platform !== "linux"
        ? Promise.resolve(false)
        : typeOf(path).then(
            (type) => reliableTypes.has(type >>> 0),
            () => false,
          );
    byDevice.set(dev, asked);
    return asked;
  };

  return {
    reliable,
    async settled(path, stats, lookedAtMs) {
      settleMs ??= writeBackLimitMs();
      const changedMs = Math.max(Number(stats.ctimeMs), Number(stats.mtimeMs));
      // A change time in the future: the clock was set, so ages say nothing.
      if (!(lookedAtMs - changedMs > settleMs)) return false;
      return reliable(path, stats);
    },
  };
}

/** After this many milliseconds without a change no page of a file is dirty. Infinity: the kernel promises nothing. */
export function writeBackLimitMs(
  read: (name: string) => string = (name) => readFileSync(`/proc/sys/vm/${name}`, "utf8"),
): number {
  const centiseconds = (name: string, otherwise: number): number => {
    try {
      const value = Number(read(name).trim());
      return Number.isSafeInteger(value) && value >= 0 ? value * 10 : otherwise;
    } catch {
      return otherwise;
    }
  };
  const expire = centiseconds("dirty_expire_centisecs", defaultLimits.expireMs);
  const interval = centiseconds("dirty_writeback_centisecs", defaultLimits.intervalMs);
  // 0 switches periodic writing back off.
  if (interval === 0) return Number.POSITIVE_INFINITY;
  // A page that expires just after a look waits for the next one, and writing takes its time, too.
  return expire + 2 * interval;
}
