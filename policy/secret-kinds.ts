/**
 * Secret formats that their issuers mark, so that they can be recognized without a name.
 *
 * The facts (prefix, alphabet, length) come from public rule sets: gitleaks `config/gitleaks.toml` (commit 009e025, read
 * 2026-11-30), secretlint's recommended preset 13.1.0, and the issuers' documentation. Lengths here are the shortest that
 * distinguish a kind from ordinary ids. Secrets that the rule sets know only by a name beside them are left to `secret-names.ts`.
 */

/** Prefixes that no ordinary value has. Patterns, because one issuer's kinds differ in a letter. */
const DISTINCT_PREFIXES = [
  // Gateway, queue, audit log: Zuplo, Upstash, Standard Webhooks
  "zpka_|qstash_|whsec_",
  // Clouds and hosting: Google, Alibaba, DigitalOcean, Cloudflare, Heroku, PlanetScale, Supabase, MongoDB, Aiven, CockroachDB
  "AIza|ya29\\.|GOCSPX-|LTAI|do[opr]_v1_|cf(?:k|ut|at)_|HRKU-|pscale_|sb_secret_|mdb_sa_sk_|AVNS_|CCDB1_",
  // Code and packages: GitHub, GitLab, Atlassian, npm, PyPI, RubyGems, Docker
  "gh[opusr]_|github_pat_|gl(?:agent|cbt|dt|ffct|ft|imt|oas|pat|ptt|rt|rtr|soat|wt)-|GR1348941|AT(?:ATT3|CTT3|BB)|npm_|pypi-A|rubygems_|dckr_[op]at_",
  // Building and running: CircleCI, dbt, Vault, Tailscale, 1Password, age, New Relic, Sentry
  "CCIP[A-Z]{2}_|dbt[cu]_|hv[sbr]\\.|tskey-|ops_ey|AGE-SECRET-KEY-1|NR[A-Z]{2}-|sntry[su]_",
  // Messages: Slack, Brevo; payments and shops: Square, Razorpay, Flutterwave, Paddle, Midtrans, Shippo, Duffel, Shopify
  "xox[a-z](?:\\.xox[a-z])?-|x(?:app|wfp)-|x(?:key|smtp)sib-|sq0[a-z]{3}-|FLW[A-Z_]{4,9}-|(?:VT|Mid)-server-|(?:rzp|pdl|shippo|duffel)_[a-z]{4}_|shp[a-z]{2,3}_",
  // Tools: Postman, HubSpot, Plaid, Settlemint, Unkey, Braintree
  "PMAK-|pat-[a-z]{2}\\d-|access-(?:sandbox|development|production)-|sm_[aps]at_|unkey_|access_token\\$[\\w$]{1,40}\\$",
];
/** Letters, digits and `-_+/` after a distinct prefix. */
const DISTINCT_MIN_CHARS = 10;

/** Prefixes that other ids may have too, so more than the 26 characters of a ULID must follow. */
const SHORT_PREFIXES = [
  // Tencent, Volcengine, JD, Yandex, Google, Vercel, Netlify, Fly.io, Render, Scalingo, Supabase, Neon, Deno, Val Town
  "AKID|AKLT|JDC_|AQVN|1\\/\\/0|vc[piark]_|nf[pcoub]_|fo1_|fm(?:1[ar]|2)_|rnd_|tk-us-|sbp_|napi_|dd[po]_|vtwn_",
  // Trello, Sourcegraph, SonarQube, Clojars, Artifactory, OpenShift, Buildkite, Prefect, Defined Networking
  "ATTA|s(?:gp|lk|gd)_|sq[aup]_|CLOJARS_|AKCp|sha256~|bkua_|pn[ub]_|dnkey-",
  // Grafana, PostHog, Honeycomb, Intercom, Notion, EasyPost
  "eyJrIjoi|gl(?:c|sa)_|ph[xs]_|hc[a-z]{2}k_|dG9rO|ntn_|EZ[AT]K",
  // Hugging Face, Groq, Perplexity, xAI, Replicate, NVIDIA, Together, Pinecone, LangSmith, Tavily, RunPod
  "hf_|api_org_|gsk_|pplx-|xai-|r8_|nvapi-|tgp_v1_|pcsk_|lsv2_|tvly-|rpa_",
  // Linear, Notion, Figma, Frame.io, ReadMe, Typeform, Contentful, Dropbox, Adafruit, Apify, Adobe, WakaTime, Ionic, 42, Telnyx
  "lin_(?:api|oauth)_|secret_|figd_|fio-u-|rdme_|tfp_|CFPAT-|sl\\.|aio_|apify_api_|p8e-|waka_|ion_|s-s4t2|KEY0\\d",
];
const SHORT_MIN_CHARS = 28;

/** Prefixes that also begin ordinary words, so no hyphen or underscore may follow. */
const WORD_PREFIXES = [
  // OpenRouter, DeepSeek, Firecrawl, Databricks, Twilio, Infracost, Cerebras, crates.io, NuGet, ClickHouse, Pulumi, Lob
  "sk-(?:or-v1-)?|fc-|dapi|dkea|dose|SK|ico-|csk-|cio|oy2|4b1d|pul-|(?:live|test)_(?:pub_)?",
];

/** Kinds that need their whole form to be recognized. */
const FORMS: readonly RegExp[] = [
  // QStash's signing keys, unlike other ids with their prefix, have upper-case letters.
  /sig_(?=\w{0,20}[A-Z])\w{10}/,
  // Stripe, WorkOS and many others; OpenAI, Anthropic
  /[spr]k_(?:[a-z]{3,10}_)?[A-Za-z\d]{10}/,
  /sk-(?=[\w-]{0,24}[A-Z])[\w-]{16}/,
  // AWS, Azure, Cloudflare, Doppler, Terraform, Harness, Octopus, Dynatrace, 1Password, New Relic, Vault, Yandex
  /(?:A3T[A-Z\d]|A[KS]IA|ABIA|ACCA)[A-Z\d]{16}/,
  /[A-Za-z\d][\w~.]{2}\dQ~[\w~.-]{31}/,
  /v1\.0-[a-f\d]{24}-[a-f\d]{40}/,
  /dp\.[a-z]{2,5}\.(?:[\w-]{1,40}\.)?[A-Za-z\d]{40}/,
  /[A-Za-z\d]{14}\.atlasv1\.[\w=-]{20}/,
  /[ps]at\.[\w-]{22}\.[A-Za-z\d]{24}\./,
  /API-[A-Z\d]{25}/,
  /dt0[a-z]\d\d\.[A-Za-z\d]{24}\./,
  /A3-[A-Z\d]{6}-[A-Z\d-]{20}/,
  /[a-f\d]{36}NRAL/,
  /s\.[A-Za-z\d]{24}(?!\w)/,
  /t1\.[\w-]{1,200}={0,2}\.[\w-]{60}/,
  // LaunchDarkly, Axiom
  /(?:sdk|api|mob|xa[ap]t)-[a-f\d]{8}-[a-f\d]{4}-4/,
  // Artifactory
  /cmVmd[A-Za-z\d]{59}(?![\w+/=])/,
  // Webhooks of Slack, Discord, Teams, Google Chat, Zapier, IFTTT, Feishu and Lark
  /(?:hooks\.(?:slack|zapier)|webhook\.office|chat\.googleapis|maker\.ifttt)\.com\/[^\s"']{10,}/,
  /(?:discord(?:app)?\.com\/api|(?:feishu\.cn|larksuite\.com)\/open-apis)\/[^\s"']{16,}/,
  // Discord, Telegram, Meta, X, SendGrid, Mailchimp, Mailgun, Mandrill, Resend
  /[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27}/,
  /\d{5,16}:A[\w-]{34}/,
  /\d{15,16}\|[\w-]{27}/,
  /EAA[A-Za-z][\w-]{22}/,
  /AAAAAAAAAAAAAAAAAAAA[\w%]{50}/,
  /SG\.[\w.=-]{40}/,
  /[a-f\d]{32}-us\d/,
  /[a-h\d]{32}-[a-h\d]{8}-[a-h\d]{8}(?!\w)/,
  /md-(?=[\w-]{0,20}[A-Z])[\w-]{22}(?![\w-])/,
  /re_[A-Za-z\d]{8}_[A-Za-z\d]{20}/,
  // Asana, Airtable, Authress, MaxMind, Mapbox
  /[12]\/\d{10,20}(?:\/\d{10,20})?:[a-f\d]{32}/,
  /pat[A-Za-z\d]{14}\.[a-f\d]{40}/,
  /(?:sc|ext|scauth|authress)_[A-Za-z\d]{5,30}\.[A-Za-z\d]{4,6}\.acc[_-][\w-]{10}/,
  /[A-Za-z\d]{6}_[A-Za-z\d]{29}_mmk/,
  /[pst]k\.[\w-]{60}\.[\w-]{20}/,
  // A token that was base64-encoded once more begins with the code of `eyJ`.
  /ZXlK[\w+/-]{20}/,
];

/** The shortest marked secret: shorter strings are not compared with the kinds. */
const MARKED_MIN_CHARS = 13;

/** Matches a marked secret, from its prefix to its end. Linear: each comparison ends after the shortest length of its kind. */
export const MARKED_SECRET = new RegExp(
  `(?<![A-Za-z\\d])(?=[A-Za-z\\d][\\w.~+/=:|$-]{${MARKED_MIN_CHARS - 1}})(?:${[
    `(?:${DISTINCT_PREFIXES.join("|")})[\\w+/-]{${DISTINCT_MIN_CHARS}}`,
    `(?:${SHORT_PREFIXES.join("|")})[\\w+/-]{${SHORT_MIN_CHARS}}`,
    `(?:${WORD_PREFIXES.join("|")})[A-Za-z\\d]{${SHORT_MIN_CHARS}}`,
    FORMS.map(({ source }) => source).join("|"),
  ].join("|")})[\\w.~+/=-]*`,
  "g",
);
