/** Everything that tests start; the test command installs what is missing where it can. */
export { missingOf } from "./requirement.ts";

import { bubblewrapRequirement } from "./bubblewrap.ts";
import { charliecloudRequirement } from "./charliecloud.ts";
import { chromiumRequirement } from "./chromium.ts";
import { curlRequirement } from "./curl.ts";
import { debianAwsRequirement } from "./debian-aws.ts";
import { dockerRequirement } from "./docker.ts";
import { podmanRequirement } from "./podman.ts";
import { prometheusRequirement } from "./prometheus.ts";
import { redisRequirement } from "./redis.ts";
import { registryRequirement } from "./registry.ts";
import type { Requirement } from "./requirement.ts";
import { s3Requirement } from "./s3.ts";
import { fishRequirement, zshRequirement } from "./shells.ts";
import { namespacesRequirement, pbsCommandsRequirement, slurmRequirement } from "./slurm.ts";
import { accountingRequirement } from "./slurm-accounting.ts";
import { testImagesRequirement } from "./test-images.ts";

export const allRequirements: readonly Requirement[] = [
  redisRequirement,
  curlRequirement,
  chromiumRequirement,
  prometheusRequirement,
  debianAwsRequirement,
  s3Requirement,
  podmanRequirement,
  dockerRequirement,
  registryRequirement,
  testImagesRequirement,
  bubblewrapRequirement,
  slurmRequirement,
  namespacesRequirement,
  accountingRequirement,
  charliecloudRequirement,
  pbsCommandsRequirement,
  zshRequirement,
  fishRequirement,
];
