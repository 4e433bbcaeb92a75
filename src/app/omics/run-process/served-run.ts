/** A run as the server orders it, wherever it is performed. */
import type { Capacity, TimedEvent, Turns, TurnsPlace } from "../../../engine/index.ts";
import { type Ask, defined } from "../../../kernel/index.ts";
import type { EntryNames } from "../../../store/entries/index.ts";
import type { Environment } from "../../environment.ts";
import { runOrder } from "../../workflows/run.ts";
import type { RunOrder } from "../../workflows/run-order.ts";
import type { ImageMap } from "../image-map.ts";
import type { EndedRun } from "./messages.ts";

export interface ServedRun {
  /** For people: `run 1234567`. */
  readonly name: string;
  readonly order: RunOrder;
  /** `sourceImage`: what the workflow calls the image of the event. */
  onEvent(event: TimedEvent, sourceImage: string | undefined): void;
  turns(capacity: Capacity, place: TurnsPlace): Turns;
  readonly images: ImageMap | undefined;
  /** What precedes the uuid in the ARNs of entries; undefined: entries are named by chance. */
  readonly entryArn: string | undefined;
  taskArn(callPath: string): string;
}

/** In this process: for languages whose scripts are bounded by what they can say. */
export async function performHere(
  { order, images, entryArn, ...served }: ServedRun,
  environment: Environment,
  ask: Ask,
): Promise<EndedRun> {
  return runOrder(
    order,
    {
      onEvent: (event) => {
        const image = event.kind === "call.started" ? event.image : undefined;
        served.onEvent(event, image === undefined ? undefined : images?.sourceOf(image));
      },
      turns: (capacity, place) => served.turns(capacity, place),
      ...defined({
        mapImages: images === undefined ? undefined : images.over.bind(images),
        entryNames: entryNamesOf({ entryArn, ...served }),
      }),
    },
    environment,
    ask,
  );
}

export function entryNamesOf({
  entryArn,
  ...served
}: Pick<ServedRun, "entryArn" | "taskArn">): EntryNames | undefined {
  if (entryArn === undefined) return undefined;
  return {
    entry: (uuid) => `${entryArn}${uuid}`,
    task: ({ callPath }) => served.taskArn(callPath),
  };
}
