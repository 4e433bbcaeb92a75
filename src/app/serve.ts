/** serve: opens a session for the commands that follow. */
import { type Ask, defined, isAppError, messageOf } from "../kernel/index.ts";
import {
  createRunner,
  type Model,
  type RunnerOptions,
  type SessionContainer,
  startSessionContainer,
  stopSessionContainer,
  watchSession,
} from "../models/index.ts";
import { planOf } from "../predict/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import { type ErsiliaRedis, findErsiliaRedis } from "./ersilia-redis.ts";
import { guardOf } from "./model-guard.ts";
import { modelOf, type PredictionOptions, runnerText, settingsFrom, type Wiring } from "./predictions.ts";
import type { PredictionSettings, Session } from "./sessions.ts";
import { createTiers } from "./tiers.ts";

export interface ServeResult {
  readonly session: string;
  readonly sessionFile: string;
  readonly model: string;
  readonly slug: string;
  readonly title: string;
  readonly release: string;
  readonly columns: number;
  readonly mode: PredictionSettings["mode"];
  readonly computes: "allowed" | "never";
  /** Names of the tiers that the mode asks, in order. */
  readonly local?: string;
  readonly cloud?: string;
  readonly runner: string;
  /** `reusable`, or why nothing is stored. */
  readonly reuse: string;
  /** The model that the session served before. */
  readonly replaced?: string;
  /** A Redis with rows of Ersilia's that answers on this machine, where no local cache was named. It is not used. */
  readonly ersiliaRedis?: ErsiliaRedis;
  readonly warnings: readonly string[];
}

/** Opens a session. A tier that cannot be reached is an error where the mode can do nothing without it, else a warning. */
export async function serve(options: PredictionOptions, wiring: Wiring, ask: Ask): Promise<ServeResult> {
  const { environment, sessions } = wiring;
  const settings = settingsFrom(options, undefined, environment);
  const name = await sessions.nameFor(options.session);
  const model = await modelOf(settings, environment, ask);
  const warnings: string[] = [];
  const tiers = createTiers(settings, environment, () => {});
  const plan = planOf(settings.mode);
  const computes = settings.computes ?? plan.computes;
  try {
    for (const source of plan.lookUp) await tryTier(tiers[source], computes, warnings, ask);
    if (computes === "allowed" && model.source.kind !== "builtin" && model.source.kind !== "image") {
      const guard = guardOf(settings, environment, (message) => warnings.push(message));
      await tryRunner(model, { env: environment.programs, ...defined({ guard }) }, ask);
    }
  } finally {
    await tiers.close();
  }
  if (model.reusable.kind === "never")
    warnings.push(`answers of ${model.id} are never reused: ${model.reusable.reason}`);
  const before = await withContainer({ model, computes, name }, wiring, ask, async (container) => {
    const openedAt = new Date().toISOString();
    return await sessions.open({
      format: 1,
      name,
      openedAt,
      settings: { ...settings, ...defined({ container }) },
    });
  });
  const isNamed = settings.local !== undefined || environment.local !== undefined;
  const ersiliaRedis =
    isNamed || settings.localCache === "off" || !plan.lookUp.includes("local")
      ? undefined
      : await findErsiliaRedis(model.id, environment, ask);
  return {
    session: name,
    sessionFile: sessions.pathOf(name),
    model: model.id,
    slug: model.slug,
    title: model.title,
    release: model.release,
    columns: model.columns.length,
    mode: settings.mode,
    computes,
    ...(plan.lookUp.includes("local") ? { local: tiers.local.name } : {}),
    ...(plan.lookUp.includes("cloud") ? { cloud: tiers.cloud.name } : {}),
    runner: runnerText(model),
    reuse: model.reusable.kind === "reusable" ? "reusable" : model.reusable.reason,
    ...(before === undefined ? {} : { replaced: before.settings.model }),
    ...defined({ ersiliaRedis }),
    warnings,
  };
}

/**
 * Opens the session with the container of its model, where that is in an image: started once, and removed with the
 * session. The container of the session that is replaced is removed.
 */
async function withContainer(
  {
    model,
    computes,
    name,
  }: { readonly model: Model; readonly computes: "allowed" | "never"; readonly name: string },
  { environment, sessions }: Wiring,
  ask: Ask,
  open: (container: SessionContainer | undefined) => Promise<Session | undefined>,
): Promise<Session | undefined> {
  const env = environment.programs;
  const shell = sessions.shellOf(name);
  const place = { env, session: { file: sessions.pathOf(name), ...defined({ shell }) } };
  const container =
    computes === "allowed" && model.source.kind === "image"
      ? await startSessionContainer(model.source, place, ask)
      : undefined;
  let before: Session | undefined;
  try {
    if (container !== undefined) await tryRunner(model, { env, container: container.name }, ask);
    before = await open(container);
  } catch (error) {
    if (container !== undefined) await stopSessionContainer(container, { env });
    throw error;
  }
  if (container !== undefined) await watchSession(container, place);
  const old = before?.settings.container;
  if (old !== undefined) await stopSessionContainer(old, { env });
  return before;
}

async function tryTier(
  tier: PredictionTier,
  computes: "allowed" | "never",
  warnings: string[],
  ask: Ask,
): Promise<void> {
  try {
    await tier.open(ask);
  } catch (error) {
    if (computes === "never" || !isAppError(error) || error.row.kind === "usage") throw error;
    warnings.push(`${tier.name} is left out until it works: ${messageOf(error)}`);
  }
}

async function tryRunner(model: Model, options: RunnerOptions, ask: Ask): Promise<void> {
  const runner = createRunner(model, options);
  try {
    await runner.open(ask);
  } finally {
    await runner.close();
  }
}
