/** The page of a pack that people read first. Pure. */

interface Scope {
  readonly organization: string;
  readonly since: string;
  readonly until: string;
}

/** Returns Markdown. It contains no creation time, so two packs of the same evidence are identical. */
export function packReport(result: string, { organization, since, until }: Scope, hasCoverage: boolean): string {
  return `# Audit evidence of ${organization}

Events from ${since} until ${until}.

## What the check says

\`\`\`
${result}
\`\`\`

## Check it yourself

You need Node 20 or later, and the verifier key from a source that you trust. The key in this pack is a copy, and proves nothing by
itself. In a folder with this zip and your key file:

\`\`\`
unzip -p pack.zip verify.mjs > verify.mjs
node verify.mjs pack.zip --key your-key.pub
\`\`\`

To compare with an export that you took from WorkOS yourself, add \`--export your-export.csv\`.

## What is in the pack

| file | what |
| --- | --- |
| \`pack.json\` | organization, period, checkpoint, and the SHA-256 of each file |
| \`checkpoint\`, \`tile/\` | the signed log; its entries are the digests, one for each quarter of an hour |
| \`leaves/\` | the fingerprints of this organization's events; those of other organizations are left out |
| \`anchors/\` | time stamps of checkpoints |
| \`export.csv\` | what WorkOS holds |
| \`audit-evidence.pub\` | the verifier key |
| \`coverage.json\` | which operations of the API leave events${hasCoverage ? "" : "; no file was at hand when the pack was made"} |
| \`dead-letters.jsonl\` | records that did not reach WorkOS, and why |
| \`operators.jsonl\` | replays, and what operators did |
| \`verify.mjs\` | the check, in one file that you can read |
`;
}
