/**
 * Makes text safe to show and to log: credentials inside URLs and signed queries are replaced, and control
 * characters (which could move a terminal's cursor or forge log lines) are escaped.
 */
const urlCredentials = /([a-z][a-z0-9+.-]*:\/\/)([^\s/@:]*):([^\s/@]+)@/gi;
const secretQuery =
  /([?&](?:X-Amz-(?:Signature|Credential|Security-Token)|token|access_token|password|sig)=)[^&\s"']+/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

export function redact(text: string): string {
  return text
    .replace(urlCredentials, "$1$2:***@")
    .replace(secretQuery, "$1***")
    .replace(control, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
