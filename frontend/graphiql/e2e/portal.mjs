/**
 * One visit to a demo portal in headless Chromium: a buyer sees data; staff restricts a group to one category,
 * lets somebody into it by a code, and looks at the portal as that account; the newcomer comes in with the code.
 * Fails on a request to another origin, on a console error and on a breach of the content security policy.
 *
 *   node e2e/portal.mjs --url http://harbour.localhost:8000/graphql [--screenshots FOLDER]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { enter, inBrowser, isSignedIn, run, shoot, signInAs, url } from './page.mjs';

const SAMPLES = join(import.meta.dirname, '../samples/staff');

await inBrowser(visit);

async function visit(open) {
  const page = await open();
  const personas = await enter(page);
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
  const { accessGroupCreate } = await run(page, 'NewGroup', filled('NewGroup', { '<id of the profile': profile, '<id of the category': category }));
  await shoot(page, 'new-group');
  return { id: accessGroupCreate.accessGroup.id, customer: customers.nodes[0].id };
}

/** A new account in a group; returns its id and the code to hand over. */
async function letIn(page, { id, customer }) {
  const { accountProvision } = await run(page, 'NewAccount', filled('NewAccount', { '<id of a customer': customer, '<id of the group': id }));
  await shoot(page, 'new-account');
  return { code: accountProvision.activationCode, account: accountProvision.account.id };
}

/** To the portal as an account sees it, and back. */
async function lookAs(page, staff, account, everything) {
  await run(page, 'LookAs', filled('LookAs', { '<id of an account': account }));
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

/** The variables of one of the staff's tabs with values for the placeholders, by how they begin. */
function filled(name, values) {
  const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const file = readdirSync(SAMPLES).find((each) => each.endsWith(`${kebab}.variables.json`));
  let text = JSON.stringify(JSON.parse(readFileSync(join(SAMPLES, file), 'utf8')));
  for (const [placeholder, value] of Object.entries(values)) text = text.replace(new RegExp(`${placeholder}[^>]*>`), value);
  return text;
}
