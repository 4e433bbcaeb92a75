/** protocol: the HealthOmics wire format as data, its validation, routing and signatures. No HTTP here. */
export { Blob64 } from "./blob.ts";
export { type BodyLimit, bodyLimitOf } from "./body-limit.ts";
export { boundedText } from "./body-text.ts";
export { type ExceptionName, ServiceException } from "./exceptions.ts";
export { type Operation, type OperationName, operations } from "./operations.ts";
export { rawItems, rawMember, rawMembers } from "./raw-member.ts";
export { type Routed, type RouteResult, routeRequest } from "./route.ts";
export type {
  IntegerShape,
  ListShape,
  MapShape,
  Member,
  Shape,
  StringShape,
  StructureShape,
} from "./shape.ts";
export { batchSetting, containerRegistryMap, maxBatchRuns } from "./shapes.ts";
export {
  type AccessKey,
  accessKeyIdOf,
  checkSignature,
  type SignatureCheck,
  type SignatureRules,
  type SignedRequest,
} from "./sigv4.ts";
export { type Fault, faultMessage, faultsMessage, validateMembers } from "./validate.ts";
