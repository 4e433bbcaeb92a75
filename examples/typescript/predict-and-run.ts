/** Predicts for a few molecules and runs a workflow, twice each: the second time everything is reused. */
import { isAppError, openMemoir } from "memoir";

// Closes what it opened at the end of the block, and cancels what is still under way.
await using memoir = await openMemoir({ home: "./memoir-home" });

async function* molecules(): AsyncGenerator<string> {
  yield "CCO";
  yield "c1ccccc1";
}

for (const round of ["first", "second"]) {
  for await (const { input, status, values } of memoir.predict("molecular-weight", molecules()))
    console.log(`${round}: ${input} ${status} ${values?.["mol_weight"]}`);
}

for (const round of ["first", "second"]) {
  const run = memoir.run("greet.wdl", {
    inputs: { names: ["Ada", "Grace"] },
    executor: "host",
    cache: "./memoir-cache",
    cacheHostTasks: true,
    signal: AbortSignal.timeout(600_000),
  });
  for await (const event of run.events)
    if (event.kind === "call.reused" || event.kind === "call.computed")
      console.log(`${round}: ${event.kind} ${event.call}`);
  const { state, calls, outputs } = await run;
  console.log(`${round}: ${state}, ${calls.reused} reused, ${calls.computed} computed`, outputs.toJSON());
}

const { diagnostics, errors } = await memoir.check("greet.wdl");
console.log(`check: ${errors} errors, ${diagnostics.length} diagnostics`);

const { entries, total } = await memoir.caches.entries({ cache: "./memoir-cache" });
console.log(`cache: ${total} entries of ${[...new Set(entries.map(({ task }) => task))].join(", ")}`);

try {
  await memoir.run("nothing.wdl");
} catch (error) {
  if (!isAppError(error)) throw error;
  console.log(`${error.code}: ${error.message}`);
}
