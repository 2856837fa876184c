/** Wrangler and the other bundlers hand an HTML file over as text. https://developers.cloudflare.com/workers/wrangler/bundling/ */
declare module "*.html" {
  const text: string;
  export default text;
}
