/** protocol: the HealthOmics wire format as data, its validation, routing and signatures. No HTTP here. */
export { type ExceptionName, ServiceException } from "./exceptions.ts";
export { type Operation, type OperationName, operations } from "./operations.ts";
export { rawMember } from "./raw-member.ts";
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
export { batchSettingsFile } from "./shapes.ts";
export {
  type AccessKey,
  checkSignature,
  type SignatureCheck,
  type SignatureRules,
  type SignedRequest,
} from "./sigv4.ts";
export { type Fault, faultsMessage, validateMembers } from "./validate.ts";
