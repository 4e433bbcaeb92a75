/**
 * Locations as text: what an object is called, and what is in a folder. A key of S3 is not a URL: `#`, `?`, `%`, `+` and
 * a second slash are ordinary characters of it, and nothing in it is decoded.
 */

/** In bytes; of one name in a folder. */
const longestNameBytes = 255;

export function isObjectUri(location: string): boolean {
  return /^s3:\/\//i.test(location);
}

/** The name of an object, and of a folder of objects, whose location may end with slashes. */
export function objectName(location: string): string {
  const whole = location.replace(/\/+$/, "");
  return whole.slice(whole.lastIndexOf("/") + 1);
}

/** The location of something in a folder: a slash that ends the folder's location is not a second one. */
export function memberOf(folder: string, name: string): string {
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}

/** Why a file cannot be called this in a folder; undefined when it can. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name === "." || name === "..") return `${name} means a folder`;
  if (name.includes("/")) return "it holds a slash";
  if (name.includes("\0")) return "it holds a NUL character";
  const bytes = Buffer.byteLength(name);
  return bytes > longestNameBytes ? `it has ${bytes} bytes, the limit is ${longestNameBytes}` : undefined;
}
