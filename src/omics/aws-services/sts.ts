/** STS GetCallerIdentity: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
import { randomUUID } from "node:crypto";
import type { HttpResponse } from "../../http/index.ts";
import type { ServiceRequest } from "./service-request.ts";

export function answerSts({ request, caller }: ServiceRequest): HttpResponse {
  const form = new URLSearchParams(Buffer.from(request.body).toString("utf8"));
  const action = form.get("Action") ?? "";
  if (action !== "GetCallerIdentity")
    return xml(
      400,
      `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>only GetCallerIdentity is served here</Message></Error></ErrorResponse>`,
    );
  const identity = [
    `<Arn>arn:aws:iam::${caller.account}:root</Arn>`,
    `<UserId>${caller.account}</UserId>`,
    `<Account>${caller.account}</Account>`,
  ].join("");
  return xml(
    200,
    `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>${identity}</GetCallerIdentityResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
  );
}

function xml(status: number, body: string): HttpResponse {
  return { status, headers: { "content-type": "text/xml" }, body };
}
