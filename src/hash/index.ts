/** hash: digests and the canonical encoding that they are taken over. */
export {
  percentEncoded,
  requestSignature,
  type SigningScope,
  scopeText,
  signedAuthorization,
  signingKey,
} from "./aws-signature.ts";
export { byCodeUnit, type CanonicalValue, canonicalText } from "./canonical.ts";
export { digestOf, digestsOfFile, md5Hex, sha256, sha256File } from "./digest.ts";
