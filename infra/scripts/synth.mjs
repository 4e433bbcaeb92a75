// `npm run synth --prefix infra -- --stage dev --repository OWNER/NAME`: cdk.out/STAGE, from the bundle of `npm run build`.
// No account, no credentials and no other program are needed.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    stage: { type: "string" },
    repository: { type: "string" },
    "oidc-provider": { type: "string", default: "" },
    "alarm-email": { type: "string", default: "" },
    budget: { type: "string", default: "" },
  },
});
const { stage = "", repository = "" } = values;
if (stage !== "dev" && stage !== "prod") {
  console.error("usage: npm run synth --prefix infra -- --stage dev|prod --repository OWNER/NAME");
  process.exit(2);
}
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const context = {
  ...{ stage, repository, budget: values.budget },
  ...{ oidcProviderArn: values["oidc-provider"], alarmEmail: values["alarm-email"] },
  "@aws-cdk/core:validateAgainstDefaultRules": true,
  "@aws-cdk/core:strictCfnValidateErrors": true,
};
const ran = spawnSync(process.execPath, [path("dist/app.mjs")], {
  stdio: "inherit",
  env: { ...process.env, CDK_OUTDIR: path(`cdk.out/${stage}`), CDK_CONTEXT_JSON: JSON.stringify(context) },
});
process.exitCode = ran.status ?? 1;
