/**
 * A walk of docs in headless Chromium, a page for each person: every step in the sample tab of its name, or else in a
 * new one. What comes back is compared by tests/server/test_walkthrough.py, test_bookkeeping.py and test_returns.py; this is
 * about getting through by GraphiQL.
 *
 *   node e2e/walkthrough.mjs --url http://harbour.localhost:8000/graphql [--document bookkeeping.md] [--screenshots FOLDER]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { add, enter, inBrowser, run, shoot, signInAs, url, walked } from './page.mjs';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../../../docs', walked), 'utf8');
const HEADING = /^(\d+)\. .+ \((\w+)\)$/m;
const BLOCK = /^```(.*)\n([^]*?)^```$/gm;

await inBrowser(walk);

async function walk(open) {
  const people = {};
  const seen = {};
  for (const section of DOCUMENT.split(/^## /m).slice(1)) {
    const [, number, userName] = HEADING.exec(section);
    const [[, kind, sent], ...others] = [...section.matchAll(BLOCK)];
    if (kind === 'http') {
      const [[, expectedKind, expected]] = others;
      if (sent.startsWith('GET ')) await download(await open(), filled(sent, seen), expectedKind === 'csv' ? filled(expected, seen) : null);
      else await send(people[userName], filled(sent, seen));
      continue;
    }
    const page = (people[userName] ??= await comeIn(await open(), userName));
    const [, name] = /^\w+ (\w+)/.exec(sent);
    if (!(await page.locator(`.graphiql-tab-button[title="${name}"]`).count())) await add(page, sent);
    const variables = others.length > 1 ? filled(others[0][2], seen) : null;
    const expected = JSON.parse(others.at(-1)[2]);
    const codes = Object.values(expected).flatMap((each) => each?.errors ?? []).map((each) => each.code);
    take(expected, await run(page, name, variables, codes), seen);
    await shoot(page, `${number}-${name}`);
  }
}

async function comeIn(page, userName) {
  const personas = await enter(page);
  await signInAs(page, personas.find((each) => each.userName === userName));
  return page;
}

/** Opens a link that was copied into the address bar: it is saved as a file, which begins each line like the expected one. */
async function download(page, sent, expected) {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.goto(new URL(sent.split(' ')[1].trim(), url).href).catch(() => null), // no page comes
  ]);
  const text = readFileSync(await file.path(), 'utf8');
  if (!text) throw new Error(`The file ${file.suggestedFilename()} is empty.`);
  const firsts = (expected ?? '').trim().split('\n').slice(1).map((line) => line.split(',')[0].replaceAll('"', ''));
  if (!firsts.every((first) => text.includes(first))) throw new Error(`The file ${file.suggestedFilename()} is about something else.`);
}

/** What one would send from a shell. */
async function send(page, sent) {
  const [head, ...body] = sent.split('\n\n');
  const [line, ...fields] = head.split('\n');
  const [method, link] = line.split(' ');
  const headers = Object.fromEntries(fields.map((each) => each.split(': ')));
  const ok = await page.evaluate(
    async ({ address, ...given }) => (await fetch(address, given)).ok,
    { address: new URL(link, url).href, method, headers, body: body.join('\n\n') },
  );
  if (!ok) throw new Error(`${line} was refused.`);
}

/** A text with what was seen in the place of its names. */
function filled(text, seen) {
  return text.replace(/<([a-z ]+), from step \d+>/g, (_, name) => seen[name]);
}

/** Notes what stands where the expected answer has a name. */
function take(expected, found, seen) {
  const name = typeof expected === 'string' && /^<([a-z ]+)>$/.exec(expected)?.[1];
  if (name && !found) throw new Error(`No ${name} came back.`);
  if (name) seen[name] = found;
  else if (expected && typeof expected === 'object') {
    for (const key of Object.keys(expected)) take(expected[key], found[key], seen);
  }
}
