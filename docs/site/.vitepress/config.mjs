// VitePress compiles its configuration with a bundler of its own, but Node runs TypeScript directly.
const { siteConfig } = await import(new URL("../config.ts", import.meta.url).href);
export default siteConfig;
