// A prediction service: POST a JSON list of SMILES to /predict; the answer is Memoir's JSON, in the same order.
// Results are kept in the local cache, so each molecule is computed once, even across restarts.
import { spawn } from "node:child_process";
import { createServer } from "node:http";

const model = process.env.MODEL ?? "molecular-weight";
const port = Number(process.env.PORT ?? 8080);
const limit = 1_000_000;

createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body);
  };
  if (request.method !== "POST" || request.url !== "/predict")
    return answer(404, '{"error":"use POST /predict"}');
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > limit) return answer(413, '{"error":"the request is too large"}');
  }
  const result = await predict(body);
  answer(
    result.code === 0 ? 200 : 400,
    result.code === 0 ? result.output : JSON.stringify({ error: result.error }),
  );
}).listen(port, "127.0.0.1", () => process.stdout.write(`listening on http://127.0.0.1:${port}\n`));

/** Passes the list to `memoir run` on standard input and reads the rows from its standard output. */
function predict(inputs) {
  const args = [
    "run",
    "--model",
    model,
    "-i",
    "-",
    "--input-format",
    "json",
    "-o",
    "-",
    "--output-format",
    "json",
  ];
  const memoir = spawn("memoir", args, { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  let error = "";
  memoir.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  memoir.stderr.setEncoding("utf8").on("data", (text) => (error += text));
  memoir.stdin.on("error", () => {}); // The command may end before it has read everything.
  memoir.stdin.end(inputs);
  return new Promise((resolve) => {
    memoir.on("error", (cause) => resolve({ code: 1, output, error: cause.message }));
    memoir.on("close", (code) => resolve({ code, output, error }));
  });
}
