/**
 * One visit to a demo portal in headless Chromium: a buyer sees data; staff restricts a group to one category,
 * lets somebody into it by a code, and looks at the portal as that account; the newcomer comes in with the code.
 * Fails on a request to another origin, on a console error and on a breach of the content security policy.
 *
 *   node e2e/portal.mjs --url http://harbour.localhost:8000/graphql [--screenshots FOLDER]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { url, screenshots } = parseArgs({
  options: { url: { type: 'string' }, screenshots: { type: 'string' } },
}).values;
if (!url) fail('Say which page: --url http://harbour.localhost:8000/graphql');

const browsers = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) fail('No Chromium here: set CHROMIUM to its path.');

const SAMPLES = join(import.meta.dirname, '../samples/staff');
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
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  watch(page);
  await visit(page);
} catch (error) {
  faults.push(error.message);
} finally {
  await browser.close();
}
if (faults.length) fail(faults.join('\n'));
console.log(`Good: ${requests.length} requests, all to ${origin}`);

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
  page.on('pageerror', ({ message }) => {
    if (message !== 'Canceled') faults.push(`Exception: ${message}`); // so the editor ends what a new role interrupts
  });
}

async function visit(page) {
  const answer = await page.goto(url);
  if (!answer.headers()['content-security-policy']) faults.push('The page came without a Content-Security-Policy.');
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  const { personas } = JSON.parse(await page.locator('#kontor').textContent());
  const [buyer, staff] = ['buyer', 'staff'].map((wanted) => personas.find(({ role }) => role === wanted));

  await signInAs(page, buyer);
  const everything = (await run(page, 'Browse')).products.totalCount;
  await shoot(page, 'buyer');
  await watchOrders(page);

  await signInAs(page, staff);
  const group = await restrict(page);
  const { code, account } = await letIn(page, group);
  await lookAs(page, staff, account, everything);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await comeIn(page, code);
  await expectFewer(page, everything);
  await shoot(page, 'newcomer');
}

/** Starts the subscription's tab, orders something past GraphiQL, and expects to see it come. */
async function watchOrders(page) {
  await page.locator('.graphiql-tab-button[title="WatchOrders"]').click();
  await page.waitForTimeout(300);
  const [socket] = await Promise.all([
    page.waitForEvent('websocket'),
    page.locator('.graphiql-execute-button').click(),
  ]);
  if (new URL(socket.url()).host !== new URL(url).host || new URL(socket.url()).search) {
    throw new Error(`The WebSocket is at ${socket.url()}`);
  }
  await page.waitForTimeout(1_000); // the server says nothing when it has begun
  const number = await page.evaluate(async () => {
    const { endpoint, portal } = JSON.parse(document.querySelector('#kontor').textContent);
    const { token } = JSON.parse(sessionStorage.getItem(`kontor:session:${portal.slug}`));
    const ask = async (query) => {
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
      return (await (await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify({ query }) })).json()).data;
    };
    const { products } = await ask('{ products(first: 1, filter: {availableOnly: true}) { nodes { sku } } }');
    await ask(`mutation { cartAddItems(input: {items: [{sku: "${products.nodes[0].sku}", quantity: "1"}]}) { errors { code } } }`);
    return (await ask('mutation { orderPlace(input: {}) { orders { number } } }')).orderPlace.orders[0].number;
  });
  await page.locator('.result-window').getByText(`"${number}"`).waitFor();
  await shoot(page, 'watching');
  await page.locator('.graphiql-execute-button').click();
}

/** A new access group that sees one category only; returns its id and that of a customer. */
async function restrict(page) {
  await run(page, 'RestrictionsInForce');
  const { profiles, categories, customers } = await run(page, 'IdsToCopy');
  const profile = profiles.find(({ builtIn }) => builtIn === 'CUSTOMER').id;
  const category = categories.find(({ code }) => code === 'candles').id;
  const { accessGroupCreate } = await run(page, 'NewGroup', { '<id of the profile': profile, '<id of the category': category });
  await shoot(page, 'new-group');
  return { id: accessGroupCreate.accessGroup.id, customer: customers.nodes[0].id };
}

/** A new account in a group; returns its id and the code to hand over. */
async function letIn(page, { id, customer }) {
  const { accountProvision } = await run(page, 'NewAccount', { '<id of a customer': customer, '<id of the group': id });
  await shoot(page, 'new-account');
  return { code: accountProvision.activationCode, account: accountProvision.account.id };
}

/** To the portal as an account sees it, and back. */
async function lookAs(page, staff, account, everything) {
  await run(page, 'LookAs', { '<id of an account': account });
  await shoot(page, 'way-open');
  await page.getByRole('button', { name: 'Look at the portal as Nora Quinn' }).click();
  await isSignedIn(page, 'nora');
  await page.getByText(`${staff.name} looks at the portal as`).waitFor();
  await expectFewer(page, everything);
  await shoot(page, 'looking-as');
  await page.getByRole('button', { name: `Back to ${staff.name}` }).click();
  await isSignedIn(page, staff.userName);
}

async function comeIn(page, code) {
  const panel = page.locator('.kontor-session');
  await panel.getByText('I have an activation code').click();
  await panel.locator('details [name=userName]').fill('nora');
  await panel.locator('[name=code]').fill(code.toLowerCase());
  await panel.locator('details [name=password]').fill('a quiet harbour');
  await shoot(page, 'activation');
  await panel.getByRole('button', { name: 'Set the password and sign in' }).click();
  await isSignedIn(page, 'nora');
}

async function expectFewer(page, everything) {
  const { products } = await run(page, 'Browse');
  const seen = new Set(products.nodes.map(({ category }) => category.name));
  if (products.totalCount >= everything || seen.size !== 1) throw new Error(`Not one category: ${[...seen]}`);
}

async function signInAs(page, { name, userName }) {
  await page.locator('button[data-persona]', { hasText: name }).first().click();
  await isSignedIn(page, userName);
}

async function isSignedIn(page, userName) {
  await page.locator(`[data-signed-in="${userName}"]`).waitFor().catch(async () => {
    const said = await page.locator('.kontor-session [role=alert]').innerText();
    throw new Error(`${userName} is not signed in: ${said || 'no answer'}`);
  });
}

/** Runs the tab of this name and returns its data. `filled` is what to put for placeholders, by how they begin. */
async function run(page, name, filled = null) {
  await page.locator(`.graphiql-tab-button[title="${name}"]`).click();
  if (filled) await fill(page, name, filled);
  await page.waitForTimeout(300); // GraphiQL reads what stands in its editors a moment later
  const [response] = await Promise.all([
    page.waitForResponse((each) => each.request().postData()?.includes(` ${name}`) ?? false),
    page.locator('.graphiql-execute-button').click(),
  ]);
  const { data, errors } = await response.json();
  const refused = Object.values(data ?? {}).flatMap((each) => each?.errors ?? []);
  if (errors || !data || refused.length) {
    throw new Error(`The tab ${name} got ${JSON.stringify(errors ?? refused).slice(0, 2000)}`);
  }
  await page.locator('.result-window').getByText('"data"').waitFor();
  return data;
}

/** Puts values for the placeholders into the variables of one of the staff's tabs. */
async function fill(page, name, values) {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const file = readdirSync(SAMPLES).find((each) => each.endsWith(`${kebab}.variables.json`));
  let text = JSON.stringify(JSON.parse(readFileSync(join(SAMPLES, file), 'utf8')));
  for (const [placeholder, value] of Object.entries(values)) text = text.replace(new RegExp(`${placeholder}[^>]*>`), value);
  await page.locator('.graphiql-editor-tool .monaco-editor').first().click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await page.keyboard.press('ControlOrMeta+V');
}

async function shoot(page, name) {
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  if (tooWide) faults.push(`The page is wider than the window: ${name}`);
  if (screenshots) await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
