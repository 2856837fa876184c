/** The parts of Node's modules that the worker uses. The flag `nodejs_compat` adds them to workerd, but its types do not include them. */
declare module "node:buffer" {
  export const Buffer: { from(text: string, encoding: "base64url"): Uint8Array };
}

declare module "node:zlib" {
  export function inflateRawSync(bytes: Uint8Array, options: { readonly maxOutputLength: number }): Uint8Array;
}

declare module "node:crypto" {
  export function createHmac(
    algorithm: "sha256",
    key: Uint8Array,
  ): { update(data: Uint8Array): { digest(): Uint8Array } };
  export function createHash(algorithm: "sha256"): { update(data: Uint8Array): void; digest(): Uint8Array };
}
