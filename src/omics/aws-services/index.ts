/**
 * Small read-only subsets of three other AWS services that real tools call: CloudWatch Logs and the Price List (JSON 1.1, named by
 * a header) and STS GetCallerIdentity (a form, answered in XML).
 */

import type { HttpResponse } from "../../http/index.ts";
import { answerLogs } from "./logs.ts";
import { answerPricing } from "./pricing.ts";
import type { ServiceRequest } from "./service-request.ts";
import { answerSts } from "./sts.ts";

/** undefined = not for one of these. */
export function answerAwsService(at: ServiceRequest): Promise<HttpResponse> | HttpResponse | undefined {
  if (at.request.method !== "POST" || at.target.rawPath !== "/") return undefined;
  const amzTarget = at.request.headers["x-amz-target"];
  if (amzTarget?.startsWith("Logs_20140328."))
    return answerLogs(at, amzTarget.slice("Logs_20140328.".length));
  if (amzTarget?.startsWith("AWSPriceListService."))
    return answerPricing(at, amzTarget.slice("AWSPriceListService.".length));
  const type = at.request.headers["content-type"] ?? "";
  return type.startsWith("application/x-www-form-urlencoded") ? answerSts(at) : undefined;
}
