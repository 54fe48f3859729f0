import { chromium } from 'playwright-core';
const b = await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox']});
const p = await b.newPage({viewport:{width:1440,height:900}});
await p.goto('http://harbour.localhost:8123/graphql');
await p.locator('.graphiql-query-editor .view-line').first().waitFor();
console.log(await p.locator('.graphiql-session-header').innerHTML());
console.log(await p.locator('.graphiql-session-header').ariaSnapshot());
await b.close();
