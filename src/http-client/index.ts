/** http-client: every HTTP request that Memoir makes, except those of the AWS SDK. */
export { HttpConnections } from "./connections.ts";
export { type HttpTrouble, isHttpTrouble } from "./http-trouble.ts";
export type { HttpAnswer, HttpReply, HttpRequest } from "./request.ts";
export { isSuccess, openHttp, readHttp } from "./send.ts";
