// Runs all audits of graphql-http against the URL given; prints each, fails on any error or warning.

import { serverAudits } from 'graphql-http';

const MARKS = { ok: '✓', notice: '·', warn: '!', error: '✗' };

const [url] = process.argv.slice(2);
if (!url) {
  console.error('usage: node run.mjs <url of a GraphQL endpoint>');
  process.exit(2);
}

const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const audit of serverAudits({ url, fetchFn: fetch })) {
  const result = await audit.fn();
  counts[result.status] += 1;
  const reason = result.status === 'ok' ? '' : `\n    ${result.reason}`;
  console.log(`${MARKS[result.status]} ${audit.id} ${audit.name}${reason}`);
  await result.response?.body?.cancel?.().catch(() => {});
}

const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
console.log(`${total} audits: ${Object.entries(counts).map(([status, count]) => `${count} ${status}`).join(', ')}`);
process.exitCode = total === 0 || counts.warn || counts.error ? 1 : 0;
