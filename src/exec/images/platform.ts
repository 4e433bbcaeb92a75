/** Platforms as OCI writes them: `linux/amd64`, `linux/arm64/v8`. */

const architectures: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  aarch64: "arm64",
  armv7l: "arm",
  i386: "386",
  i686: "386",
};

export function platformOf(os: string, architecture: string, variant = ""): string {
  const name = architectures[architecture] ?? architecture;
  // arm64 has one variant in practice; registries write it or leave it out.
  const suffix = name === "arm64" && variant === "v8" ? "" : variant;
  return suffix === "" ? `${os}/${name}` : `${os}/${name}/${suffix}`;
}

/** How well an offered platform serves a wanted one: 0 = not at all, more is better. */
export function platformFit(wanted: string, offered: string): number {
  if (offered === wanted) return 3;
  const [os, architecture, variant] = wanted.split("/");
  const [offeredOs, offeredArchitecture, offeredVariant] = offered.split("/");
  if (os !== offeredOs || architecture !== offeredArchitecture) return 0;
  // linux/arm runs v7 and older; without a variant on either side nothing contradicts.
  return variant === undefined || offeredVariant === undefined ? 2 : variant > offeredVariant ? 1 : 0;
}
