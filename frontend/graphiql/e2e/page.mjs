/** What every walk needs: a headless Chromium that reaches the portal only, pages that note what must not happen, tabs. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

export const { url, screenshots, document: walked } = parseArgs({
  options: { url: { type: 'string' }, screenshots: { type: 'string' }, document: { type: 'string', default: 'walkthrough.md' } },
}).values;
if (!url) fail('Say which page: --url http://harbour.localhost:8000/graphql');

const browsers = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) fail('No Chromium here: set CHROMIUM to its path.');

const { origin, hostname } = new URL(url);
const requests = [];
const faults = [];

/** Walks with a browser of its own; it opens blank pages by `open`. Ends the process badly if anything was at fault. */
export async function inBrowser(walk) {
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
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(20_000);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    watch(context);
    await walk(() => context.newPage());
  } catch (error) {
    faults.push(error.message);
  } finally {
    await browser.close();
  }
  if (faults.length) fail(faults.join('\n'));
  console.log(`Good: ${requests.length} requests, all to ${origin}`);
}

/** Notes everything that must not happen, workers included. */
function watch(context) {
  context.on('request', (request) => {
    requests.push(request.url());
    const address = new URL(request.url());
    if (address.protocol !== 'data:' && address.origin !== origin) faults.push(`Request to another origin: ${address}`);
  });
  context.on('response', (response) => {
    if (response.status() >= 400) faults.push(`HTTP ${response.status()}: ${response.url()}`);
  });
  context.on('console', (message) => {
    if (message.type() === 'error') faults.push(`Console: ${message.text()}`);
  });
  context.on('weberror', (each) => {
    const { message } = each.error();
    if (message !== 'Canceled') faults.push(`Exception: ${message}`); // so the editor ends what a new role interrupts
  });
}

/** Goes to the portal; returns who can sign in there. */
export async function enter(page) {
  const answer = await page.goto(url);
  if (!answer.headers()['content-security-policy']) faults.push('The page came without a Content-Security-Policy.');
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  return JSON.parse(await page.locator('#kontor').textContent()).personas;
}

export async function signInAs(page, { name, userName }) {
  await page.locator('button[data-persona]', { hasText: name }).first().click();
  await isSignedIn(page, userName);
}

export async function isSignedIn(page, userName) {
  await page.locator(`[data-signed-in="${userName}"]`).waitFor().catch(async () => {
    const said = await page.locator('.kontor-session [role=alert]').innerText();
    throw new Error(`${userName} is not signed in: ${said || 'no answer'}`);
  });
}

/** Runs the tab of this name, with other variables if there are any, and returns its data. */
export async function run(page, name, variables = null, codes = []) {
  await page.bringToFront();
  await page.locator(`.graphiql-tab-button[title="${name}"]`).click();
  if (variables) await paste(page, '.graphiql-editor-tool', variables);
  await page.waitForTimeout(300); // GraphiQL reads what stands in its editors a moment later
  const [response] = await Promise.all([
    page.waitForResponse((each) => each.request().postData()?.includes(` ${name}`) ?? false),
    page.locator('.graphiql-execute-button').click(),
  ]);
  const { data, errors } = await response.json();
  const refused = Object.values(data ?? {}).flatMap((each) => each?.errors ?? []);
  if (errors || !data || `${refused.map((each) => each.code)}` !== `${codes}`) {
    throw new Error(`The tab ${name} got ${JSON.stringify(errors ?? refused).slice(0, 2000)}`);
  }
  await page.locator('.result-window').getByText('"data"').waitFor();
  return data;
}

/** Puts an operation into a new tab. */
export async function add(page, operation) {
  await page.bringToFront();
  await page.getByRole('button', { name: 'New tab' }).click();
  await paste(page, '.graphiql-query-editor', operation);
}

async function paste(page, editor, text) {
  await page.locator(`${editor} .monaco-editor`).first().click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await page.keyboard.press('ControlOrMeta+V');
}

export async function shoot(page, name) {
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  if (tooWide) faults.push(`The page is wider than the window: ${name}`);
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
