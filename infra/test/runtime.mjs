// What Lambda's own runtime does: loads the handler that the environment names, and answers one event after the other.
import { join } from "node:path";

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`;
const send = (path, value) => fetch(`${api}/${path}`, { method: "POST", body: JSON.stringify(value) });
const words = (error) => ({ errorType: error?.name, errorMessage: String(error?.message ?? error) });
const [file, name] = process.env._HANDLER.split(".");
let handler;
try {
  handler = (await import(join(process.env.LAMBDA_TASK_ROOT, `${file}.mjs`)))[name];
  if (typeof handler !== "function") throw new Error(`${process.env._HANDLER} is not a function`);
} catch (error) {
  await send("init/error", words(error));
  process.exit(1);
}
for (;;) {
  const next = await fetch(`${api}/invocation/next`);
  const id = next.headers.get("lambda-runtime-aws-request-id");
  const deadline = Number(next.headers.get("lambda-runtime-deadline-ms"));
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now() };
  try {
    await send(`invocation/${id}/response`, (await handler(await next.json(), context)) ?? null);
  } catch (error) {
    await send(`invocation/${id}/error`, words(error));
  }
}
