// Watches orders with npm's clients, places an order over plain HTTP, and expects each client to hear of it.

import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createWs } from 'graphql-ws';
import WebSocket from 'ws';

const [url, token] = process.argv.slice(2);
if (!url || !token) {
  console.error('usage: node live.mjs <url of a GraphQL endpoint> <token of a buyer>');
  process.exit(2);
}

const CHANGED = 'subscription { orderChanged { number lines { sku } } }';
const REFUSED = 'subscription { orderChanged(order: "x") { number } }';
const headers = { authorization: `Bearer ${token}` };

async function post(query) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.json()).data;
}

async function placeOrder() {
  await post('mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }');
  return (await post('mutation { orderPlace(input: {}) { orders { number } } }')).orderPlace.orders[0].number;
}

const ws = (more = {}) =>
  createWs({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: headers, ...more });
const sse = (more = {}) => createSse({ url, headers, retryAttempts: 0, ...more });

// Each gives the results of a subscription one after the other, and `stop` ends it.
const clients = {
  'graphql-ws': (query) => of(ws(), query),
  'graphql-sse': (query) => of(sse(), query),
  'urql over server-sent events': (query) =>
    ofUrql(new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true, fetchOptions: { headers } }), query),
  'urql over graphql-ws': (query) => {
    const client = ws();
    const forwardSubscription = ({ query, variables }) => ({
      subscribe: (sink) => ({ unsubscribe: client.subscribe({ query, variables }, sink) }),
    });
    return ofUrql(new Client({ url, exchanges: [subscriptionExchange({ forwardSubscription })] }), query, client);
  },
};

function of(client, query) {
  const results = client.iterate({ query });
  return { next: () => results.next().then(({ value }) => value), stop: async () => { await results.return(); client.dispose(); } };
}

function ofUrql(urql, query, client) {
  const heard = [], waiting = [];
  const { unsubscribe } = urql.subscription(query, {}).subscribe((result) => (waiting.shift() ?? ((each) => heard.push(each)))(result));
  const next = () => (heard.length ? Promise.resolve(heard.shift()) : new Promise((resolve) => waiting.push(resolve)));
  return { next, stop: async () => { unsubscribe(); client?.dispose(); } };
}

const soon = (promise, what) =>
  Promise.race([promise, new Promise((_, reject) => setTimeout(() => reject(new Error(`${what}: nothing came`)), 10_000).unref())]);

let failures = 0;
function check(what, held) {
  console.log(`${held ? '✓' : '✗'} ${what}`);
  failures += held ? 0 : 1;
}

for (const [name, subscribe] of Object.entries(clients)) {
  try {
    const subscription = subscribe(CHANGED);
    const first = subscription.next();
    await new Promise((resolve) => setTimeout(resolve, 700)); // the server says nothing when it has begun
    const placed = await placeOrder();
    const heard = (await soon(first, name))?.data?.orderChanged;
    check(`${name} hears of an order`, heard?.number === placed && heard.lines[0].sku === 'A');
    const second = subscription.next();
    const another = await placeOrder();
    check(`${name} hears of the next one`, (await soon(second, name))?.data?.orderChanged?.number === another);
    await soon(subscription.stop(), `${name} stops`);

    const refused = subscribe(REFUSED);
    const answer = await soon(refused.next().catch((error) => error), name);
    const told = JSON.stringify([answer, answer?.error?.graphQLErrors?.map((each) => each.extensions)]);
    check(`${name} is told why it is refused`, told.includes('NOT_FOUND'));
    await refused.stop().catch(() => {});
  } catch (error) {
    check(`${name}: ${error.stack ?? JSON.stringify(error)}`, false);
  }
}

process.exit(failures ? 1 : 0);
