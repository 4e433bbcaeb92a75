/**
 * Many clients ask a model server for overlapping molecules while it is killed and started again. What a client was
 * answered is never computed again, and no life of a server computes a molecule twice.
 */
import { expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { CountingModel, type ModelServerProcess, startModelServer } from "./server-process.ts";

export interface SoakOptions {
  readonly clients: number;
  /** Requests of each client, and molecules of each request. */
  readonly requests: number;
  readonly molecules: number;
  /** Distinct molecules: short ones, so that a batch is written down by one write, which a kill cannot tear. */
  readonly pool: number;
  readonly kills: number;
}

export function soaksModelServer(options: SoakOptions): void {
  const { clients, requests, molecules, pool, kills } = options;
  it(
    `${clients} clients with ${requests} requests each have every molecule computed once in each life of a server, through ${kills} kills`,
    async () => {
      const box = await Sandbox.create();
      const model = await CountingModel.create(box.path("counting"));
      await box.json("fetch", model.folder);
      const start = () => startModelServer(box, "eos0cnt", "--no-guard");
      let lives = 1;
      let server: Promise<ModelServerProcess> = start();
      try {
        const random = randomNumbers(7);
        /** The life of the server in which a molecule was answered first. */
        const answeredIn = new Map<string, number>();
        let answers = 0;
        const killEach = Math.ceil((clients * requests) / (kills + 1));
        const answered = (inputs: readonly string[], life: number): void => {
          for (const input of inputs) if (!answeredIn.has(input)) answeredIn.set(input, life);
          answers++;
          if (answers % killEach !== 0 || lives > kills) return;
          lives++;
          const killed = server;
          server = (async () => {
            await (await killed).stop("SIGKILL");
            return await start();
          })();
        };
        const ask = async (inputs: readonly string[]): Promise<void> => {
          for (;;) {
            const [asked, life] = [server, lives];
            const current = await asked;
            const answer = await current.post("/run?orient=values", inputs).catch(() => undefined);
            if (answer !== undefined) {
              expect([answer.status, answer.json]).toEqual([
                200,
                inputs.map(({ length }) => [length, length / 2]),
              ]);
              answered(inputs, life);
              return;
            }
          }
        };
        const client = async (): Promise<void> => {
          for (let n = 0; n < requests; n++)
            await ask(Array.from({ length: molecules }, () => `C${Math.floor(random() * pool)}`));
        };
        await Promise.all(Array.from({ length: clients }, client));
        expect(lives).toBe(kills + 1);
        const times = new Map<string, number>();
        for (const input of model.computed) times.set(input, (times.get(input) ?? 0) + 1);
        const tooOften = [...answeredIn].filter(([input, life]) => !((times.get(input) ?? 0) <= life));
        expect(tooOften).toEqual([]);
        expect([...answeredIn.keys()].filter((input) => !times.has(input))).toEqual([]);
      } finally {
        await (await server.catch(() => undefined))?.stop("SIGKILL");
        box.remove();
      }
    },
    15 * limitMs,
  );
}

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
