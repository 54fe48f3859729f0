/**
 * One visit in headless Chromium: sign in as the first buyer, run the first tab, see data.
 * Fails on a request to another origin, on a console error and on a breach of the content security policy.
 *
 *   node e2e/portal.mjs --url http://harbour.localhost:8000/graphql [--screenshot graphiql.png]
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { url, screenshot } = parseArgs({
  options: { url: { type: 'string' }, screenshot: { type: 'string', default: 'graphiql.png' } },
}).values;
if (!url) fail('Say which page: --url http://harbour.localhost:8000/graphql');

const browsers = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) fail('No Chromium here: set CHROMIUM to its path.');

const { origin, hostname } = new URL(url);
const requests = [];
const faults = [];

const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${hostname}`, // nothing else can be reached
  ],
});
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  page.setDefaultTimeout(20_000);
  watch(page);
  await visit(page);
} catch (error) {
  faults.push(error.message);
} finally {
  await browser.close();
}
if (faults.length) fail(faults.join('\n'));
console.log(`Good: ${requests.length} requests, all to ${origin}; screenshot in ${screenshot}`);

/** Notes everything that must not happen, workers included. */
function watch(page) {
  page.context().on('request', (request) => {
    requests.push(request.url());
    const address = new URL(request.url());
    if (address.protocol !== 'data:' && address.origin !== origin) faults.push(`Request to another origin: ${address}`);
  });
  page.context().on('response', (response) => {
    if (response.status() >= 400) faults.push(`HTTP ${response.status()}: ${response.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`Console: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`Exception: ${error.message}`));
}

async function visit(page) {
  const started = performance.now();
  const since = () => `${((performance.now() - started) / 1000).toFixed(2)} s`;
  const answer = await page.goto(url);
  if (!answer.headers()['content-security-policy']) faults.push('The page came without a Content-Security-Policy.');
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  console.log(`Editor ready after ${since()}`);

  const { personas } = JSON.parse(await page.locator('#kontor').textContent());
  const buyer = personas?.find(({ role }) => role === 'buyer');
  if (!buyer) throw new Error('The page names no persona with the role "buyer".');
  await page.locator('button[data-persona]', { hasText: buyer.name }).first().click();
  await page.locator(`[data-signed-in="${buyer.userName}"]`).waitFor().catch(async () => {
    const said = await page.locator('.kontor-session [role=alert]').innerText();
    throw new Error(`Signing in as ${buyer.name} did not succeed: ${said || 'no answer'}`);
  });
  console.log(`Signed in as ${buyer.name} after ${since()}`);

  const [run] = await Promise.all([
    page.waitForResponse((response) => response.request().postData()?.includes('query Browse') ?? false),
    page.locator('.graphiql-execute-button').click(),
  ]);
  const result = await run.json();
  if (result.errors || !result.data) throw new Error(`The first tab got ${JSON.stringify(result).slice(0, 2000)}`);
  const pane = page.locator('.result-window');
  await pane.getByText('"data"').waitFor();
  if ((await pane.innerText()).includes('"errors"')) throw new Error('The result pane shows "errors".');
  console.log(`Data shown after ${since()}`);

  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  if (tooWide) faults.push('The page is wider than the window.');
  await page.screenshot({ path: screenshot });
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
