/**
 * Kinds of secret and how each is written, for samples made at random: no real secret, and none that a scanner of this
 * repository would report. Facts of gitleaks' rules (named as there), secretlint and the issuers' documentation; not derived from
 * the patterns under test.
 *
 * `{w36}` is 36 letters and digits; `l` lower-case letters and digits, `u` upper-case ones, `h` hexadecimal, `d` digits, `a` letters,
 * `s` letters, digits, `_` and `-`, `b` base64; `{uuid}` is a UUID.
 */
const SAMPLES = `
1password-secret-key A3-{u6}-{u11}-{u5}-{u5}-{u5}
1password-service-account-token ops_eyJ{b250}
adafruit-key aio_{w28}
adobe-client-secret p8e-{l32}
age-secret-key AGE-SECRET-KEY-1{u58}
airtable-personal-access-token pat{w14}.{h64}
aiven-service-password AVNS_{s19}
alibaba-access-key-id LTAI{l20}
anthropic-admin-api-key sk-ant-admin01-{s93}AA
anthropic-api-key sk-ant-api03-{s93}AA
apify-api-token apify_api_{w36}
artifactory-api-key AKCp{w69}
artifactory-reference-token cmVmd{w59}
asana-personal-access-token 1/{d16}:{h32}
atlassian-api-token ATATT3{s186}
authress-service-client-access-key authress_{l12}.{l5}.acc_{l16}.{s60}
aws-access-token AKIA{u16}
aws-temporary-access-token ASIA{u16}
aws-secret-beside-its-id AKIA{u16} {b40}
azure-ad-client-secret {w3}8Q~{s32}
azure-storage-connection-string AccountKey={b86}==;EndpointSuffix=core.windows.net
azure-service-bus-connection-string SharedAccessKey={b43}=
azure-shared-access-signature https://acc.blob.core.windows.net/c?sv=2024-11-04&sig={w40}%3D
bitbucket-app-password ATBB{w32}
braintree-access-token access_token$production$\{l16}$\{h32}
buildkite-token bkua_{h40}
cerebras-api-key csk-{l48}
circleci-personal-token CCIPAT_{w22}_{h40}
clickhouse-cloud-api-secret-key 4b1d{w38}
clojars-api-token CLOJARS_{l60}
cloudflare-origin-ca-key v1.0-{h24}-{h146}
cloudflare-account-token cfat_{w40}{h8}
cockroachdb-api-key CCDB1_{w22}_{w40}
contentful-personal-access-token CFPAT-{s43}
crates-io-token cio{w32}
databricks-api-token dapi{h32}
dbt-cloud-token dbtc_{w40}
defined-networking-api-token dnkey-{s26}-{s52}
deno-deploy-token ddp_{w36}
digitalocean-access-token doo_v1_{h64}
digitalocean-pat dop_v1_{h64}
digitalocean-refresh-token dor_v1_{h64}
discord-bot-token MT{w22}.{s6}.{s38}
discord-webhook-url https://discord.com/api/webhooks/{d18}/{s68}
docker-personal-access-token dckr_pat_{s27}
docker-organization-access-token dckr_oat_{s32}
doppler-api-token dp.pt.{w43}
doppler-service-token dp.st.dev.{w43}
dropbox-short-lived-api-token sl.{s135}
duffel-api-token duffel_live_{s43}
dynatrace-api-token dt0c01.{u24}.{u64}
easypost-api-token EZAK{w54}
easypost-test-api-token EZTK{w54}
facebook-access-token {d15}|{s27}
facebook-page-access-token EAAC{w110}
feishu-webhook-url https://open.feishu.cn/open-apis/bot/v2/hook/{uuid}
figma-personal-access-token figd_{s40}
firecrawl-api-key fc-{h32}
flutterwave-encryption-key FLWSECK_TEST-{h12}
flutterwave-public-key FLWPUBK_TEST-{h32}-X
flutterwave-secret-key FLWSECK_TEST-{h32}-X
flyio-access-token fo1_{s43}
flyio-macaroon fm2_{b120}
frameio-api-token fio-u-{s64}
gcp-api-key AIza{s35}
google-oauth-access-token ya29.{s120}
google-oauth-client-secret GOCSPX-{s28}
google-oauth-refresh-token 1//0{s60}
google-chat-webhook https://chat.googleapis.com/v1/spaces/{w11}/messages?key={s39}&token={s43}
github-app-token ghu_{w36}
github-server-token ghs_{w36}
github-fine-grained-pat github_pat_{w82}
github-oauth gho_{w36}
github-pat ghp_{w36}
github-refresh-token ghr_{w36}
gitlab-cicd-job-token glcbt-{w2}_{s20}
gitlab-deploy-token gldt-{s20}
gitlab-feature-flag-client-token glffct-{s20}
gitlab-feed-token glft-{s20}
gitlab-incoming-mail-token glimt-{s25}
gitlab-kubernetes-agent-token glagent-{s50}
gitlab-oauth-app-secret gloas-{s64}
gitlab-pat glpat-{s20}
gitlab-pat-routable glpat-{s27}.{l2}{l7}
gitlab-ptt glptt-{h40}
gitlab-rrt GR1348941{s20}
gitlab-runner-authentication-token glrt-{s20}
gitlab-scim-token glsoat-{s20}
gitlab-session-cookie _gitlab_session={l32}
grafana-api-key eyJrIjoi{w80}
grafana-cloud-api-token glc_{b60}
grafana-service-account-token glsa_{w32}_{h8}
groq-api-key gsk_{w52}
harness-api-key pat.{s22}.{w24}.{w20}
hashicorp-tf-api-token {l14}.atlasv1.{s67}
heroku-api-key-v2 HRKU-AA{s58}
hubspot-private-app-token pat-na1-{uuid}
huggingface-access-token hf_{a34}
huggingface-organization-api-token api_org_{a34}
infracost-api-token ico-{w32}
intra42-client-secret s-s4t2ud-{h64}
ionic-token ion_{w42}
json-web-token eyJhbGciOiJIUzI1NiJ9.{s40}.{s43}
json-web-token-base64 ZXlKaGJHY2lPaUpJVXpJMU5pSjku{w80}
langsmith-token lsv2_pt_{h32}_{h10}
larksuite-webhook-url https://open.larksuite.com/open-apis/bot/v2/hook/{uuid}
launchdarkly-sdk-key sdk-{uuid}
linear-api-key lin_api_{w40}
linear-oauth-token lin_oauth_{h64}
lob-api-key live_{h35}
lob-pub-api-key test_pub_{h31}
mailchimp-api-key {h32}-us12
mailgun-signing-key {h32}-{h8}-{h8}
mandrill-api-key md-{s22}
mapbox-api-token pk.{l60}.{l22}
maxmind-license-key {w6}_{w29}_mmk
microsoft-teams-webhook https://acme.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{h32}/{uuid}
midtrans-server-key Mid-server-{s24}
mongodb-atlas-service-account mdb_sa_sk_{s40}
mongodb-connection-string mongodb+srv://app:{w16}@cluster0.abc.mongodb.net/db
neon-api-key napi_{l64}
netlify-personal-access-token nfp_{w36}
new-relic-browser-api-token NRJS-{h19}
new-relic-insert-key NRII-{s32}
new-relic-user-api-key NRAK-{u27}
new-relic-license-key {h36}NRAL
notion-api-token ntn_{d11}{w35}
notion-integration-secret secret_{w43}
npm-access-token npm_{w36}
nuget-api-key oy2{l43}
nvidia-api-key nvapi-{s64}
octopus-deploy-api-key API-{u26}
openai-api-key sk-proj-{s74}T3BlbkFJ{s74}
openai-api-key-old sk-{w20}T3BlbkFJ{w20}
openrouter-api-key sk-or-v1-{h64}
openshift-user-token sha256~{s43}
paddle-api-key pdl_live_apikey_{l26}_{w22}_{w3}
perplexity-api-key pplx-{w48}
pinecone-api-key pcsk_{w6}_{w60}
plaid-api-token access-production-{uuid}
planetscale-api-token pscale_tkn_{s43}
planetscale-oauth-token pscale_oauth_{s43}
planetscale-password pscale_pw_{s43}
posthog-personal-api-key phx_{w43}
postgres-connection-string postgres://app:{w16}@db.example.com:5432/app
postman-api-token PMAK-{h24}-{h34}
prefect-api-token pnu_{w36}
private-key -----BEGIN RSA PRIVATE KEY-----{b200}-----END RSA PRIVATE KEY-----
pulumi-api-token pul-{h40}
putty-private-key PuTTY-User-Key-File-2: ssh-rsa {b80}
pypi-upload-token pypi-AgEIcHlwaS5vcmc{s80}
qstash-signing-key sig_{w28}
razorpay-key-id rzp_live_{w14}
readme-api-token rdme_{l70}
render-api-key rnd_{w28}
replicate-api-token r8_{w37}
resend-api-key re_{w8}_{w24}
rubygems-api-token rubygems_{h48}
runpod-api-key rpa_{u42}
scalingo-api-token tk-us-{s48}
sendgrid-api-token SG.{s22}.{s43}
sendinblue-api-token xkeysib-{h64}-{l16}
sentry-org-token sntrys_eyJpYXQiO{b60}_{b43}
sentry-user-token sntryu_{h64}
settlemint-application-access-token sm_aat_{w16}
settlemint-personal-access-token sm_pat_{w16}
settlemint-service-access-token sm_sat_{w16}
shippo-api-token shippo_live_{h40}
shopify-access-token shpat_{h32}
shopify-custom-access-token shpca_{h32}
shopify-private-app-access-token shppa_{h32}
shopify-shared-secret shpss_{h32}
sidekiq-sensitive-url https://{h8}:{h8}@gems.contribsys.com/
slack-app-token xapp-1-{u11}-{d13}-{h64}
slack-bot-token xoxb-{d12}-{d12}-{w24}
slack-config-access-token xoxe.xoxp-1-{u163}
slack-config-refresh-token xoxe-1-{u146}
slack-legacy-token xoxs-{d11}-{d11}-{d11}-{h32}
slack-legacy-workspace-token xoxa-2-{w40}
slack-user-token xoxp-{d12}-{d12}-{d12}-{h32}
slack-webhook-url https://hooks.slack.com/services/T{u9}/B{u9}/{w24}
sonarqube-token sqp_{h40}
sourcegraph-access-token sgp_{h16}_{h40}
square-access-token EAAA{s60}
square-oauth-secret sq0csp-{s43}
square-access-token-old sq0atp-{s22}
standard-webhooks-secret whsec_{b32}
stripe-access-token sk_live_{w24}
stripe-restricted-key rk_test_{w24}
supabase-access-token sbp_{h40}
supabase-secret-key sb_secret_{s31}
tailscale-auth-key tskey-auth-{w17}-{w32}
tavily-api-key tvly-{w32}
telegram-bot-api-token {d9}:A{s34}
telnyx-api-key KEY01{d30}_{w22}
tencent-secret-id AKID{w32}
together-api-key tgp_v1_{s43}
twilio-api-key SK{h32}
twitter-bearer-token AAAAAAAAAAAAAAAAAAAAAA{w90}
typeform-api-token tfp_{s59}
val-town-token vtwn_{w28}
vault-batch-token hvb.{s140}
vault-service-token hvs.{s95}
vault-service-token-old s.{w24}
vercel-access-token vcp_{w40}
volcengine-access-key AKLT{w44}
wakatime-api-key waka_{uuid}
workos-api-key sk_test_{w40}
xai-api-key xai-{w80}
yandex-access-token t1.{s20}.{s86}
yandex-api-key AQVN{s36}
zapier-webhook-url https://hooks.zapier.com/hooks/catch/{d7}/{l7}/
zuplo-api-key zpka_{h32}_{h8}
name-api-key datadog_api_key={l40}
name-client-secret "discord_client_secret": "{s32}"
name-access-token HEROKU_ACCESS_TOKEN={uuid}
name-private-key mailgun-private-key: {h32}
name-password PGPASSWORD={w16}
http-basic Authorization: Basic {b32}
http-bearer Authorization: Bearer {s40}
http-bearer-upper BEARER {s40}
http-dpop DPoP {s60}
session-cookie-express connect.sid=s%3A{w32}.{w43}
session-cookie-java JSESSIONID={u32}
session-cookie-php PHPSESSID={l26}
session-cookie-asp ASP.NET_SessionId={l24}
cookie-header Cookie: theme=dark; sid={w32}
oauth-code-in-a-referer https://app.example.com/callback?code={w22}&state=abc
oauth-token-in-a-fragment https://app.example.com/#access_token={w40}&token_type=bearer
password-in-json {"user": "ada", "password": "correct horse {w6}"}
`;

const ALPHABETS: Readonly<Record<string, string>> = {
  d: "0123456789",
  h: "0123456789abcdef",
  l: "0123456789abcdefghijklmnopqrstuvwxyz",
  u: "234567ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  a: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
  w: "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
  s: "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-",
  b: "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/",
};

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A text of random characters; `alphabet` is a letter of the list above. */
export function randomText(alphabet: string, length: number, random: () => number): string {
  const chars = ALPHABETS[alphabet] ?? "";
  return Array.from({ length }, () => chars[Math.floor(random() * chars.length)]).join("");
}

export function randomUuid(random: () => number): string {
  const hex = (length: number) => randomText("h", length, random);
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}

interface SecretSample {
  readonly kind: string;
  readonly text: string;
  /** The random parts of at least 8 characters: nothing of them may remain. */
  readonly parts: readonly string[];
}

/** One sample of each kind. */
export function secretSamples(random: () => number): readonly SecretSample[] {
  return SAMPLES.trim()
    .split("\n")
    .map((line) => {
      const [kind = "", ...rest] = line.split(" ");
      const parts: string[] = [];
      const text = rest.join(" ").replaceAll(/\{(?:(uuid)|([a-z])(\d+))\}/g, (_, uuid, alphabet = "", length = "") => {
        const part = uuid ? randomUuid(random) : randomText(alphabet, Number(length), random);
        if (part.length >= 8) parts.push(part);
        return part;
      });
      return { kind, text, parts };
    });
}
