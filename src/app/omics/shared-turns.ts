/**
 * Who may compute now, over all runs of the server: the sum of what runs here stays within what the machine has, and the
 * tasks of a run group within its maxCpus and maxGpus, wherever they run. What does not fit waits.
 */
import { type Capacity, Scheduler, type Turns, type TurnsPlace } from "../../engine/index.ts";
import type { RunGroupRecord } from "../../ledger/index.ts";

interface GroupTurns {
  readonly limits: string;
  readonly scheduler: Scheduler;
}

export class SharedTurns {
  #machine: Scheduler | undefined;
  readonly #groups = new Map<string, GroupTurns>();

  /** Turns of one run; `group` is asked every time, so that changed limits count for what starts later. */
  of(group: () => RunGroupRecord | undefined): (capacity: Capacity, place: TurnsPlace) => Turns {
    return (capacity, place) => {
      const machine = place === "here" ? this.#ofMachine(capacity) : new Scheduler(capacity);
      return {
        excess: (resources) => groupExcess(resources, group()) ?? machine.excess(resources),
        fitted: (resources) => {
          const { maxCpus, maxGpus } = group() ?? {};
          const fitted = machine.fitted(resources);
          return {
            ...fitted,
            cpu: Math.min(fitted.cpu, maxCpus ?? unlimited),
            gpu: Math.min(fitted.gpu, maxGpus ?? unlimited),
          };
        },
        acquire: async (resources, ask) => {
          const limits = group();
          // The group's turn first: who waits for its group must not hold a share of the machine.
          const mine = limits === undefined ? undefined : this.#turnsOf(limits);
          const leaveGroup = mine === undefined ? () => {} : await mine.acquire(resources, ask);
          if (leaveGroup === undefined) return undefined;
          const leaveMachine = await machine.acquire(resources, ask);
          if (leaveMachine === undefined) {
            leaveGroup();
            return undefined;
          }
          return () => {
            leaveMachine();
            leaveGroup();
          };
        },
      };
    };
  }

  #ofMachine(capacity: Capacity): Scheduler {
    this.#machine ??= new Scheduler(capacity);
    return this.#machine;
  }

  #turnsOf(group: RunGroupRecord): Scheduler | undefined {
    const { maxCpus, maxGpus } = group;
    if (maxCpus === undefined && maxGpus === undefined) return undefined;
    const key = `${group.account}/${group.id}`;
    const limits = `${maxCpus} ${maxGpus}`;
    const known = this.#groups.get(key);
    if (known?.limits === limits) return known.scheduler;
    // Calls under way give their share back to the old limits; for a moment both may be in use.
    const scheduler = new Scheduler({
      cpu: maxCpus ?? unlimited,
      gpu: maxGpus ?? unlimited,
      memoryBytes: Number.MAX_SAFE_INTEGER,
    });
    this.#groups.set(key, { limits, scheduler });
    return scheduler;
  }
}

const unlimited = 1_000_000_000;

function groupExcess(
  resources: Pick<Capacity, "cpu" | "gpu">,
  group: RunGroupRecord | undefined,
): string | undefined {
  if (group?.maxCpus !== undefined && resources.cpu > group.maxCpus)
    return `asks for ${resources.cpu} cpus, its run group allows ${group.maxCpus}`;
  if (group?.maxGpus !== undefined && resources.gpu > group.maxGpus)
    return `asks for ${resources.gpu} gpus, its run group allows ${group.maxGpus}`;
  return undefined;
}
