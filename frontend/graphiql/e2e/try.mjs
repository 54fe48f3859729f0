import { chromium } from 'playwright-core';
const b = await chromium.launch({executablePath:'/usr/bin/chromium',args:['--no-sandbox']});
const p = await b.newPage({viewport:{width:1440,height:900}});
p.on('console',m=>console.log('C',m.text())); p.on('request',r=>r.postData()&&console.log('R',r.postData().slice(0,150)));
await p.goto('http://harbour.localhost:8123/graphql');
await p.locator('.graphiql-query-editor .view-line').first().waitFor();
await p.locator('button[data-persona]',{hasText:'Simone'}).click();
await p.locator('[data-signed-in=simone]').waitFor();
for (const n of ['RestrictionsInForce','IdsToCopy','NewGroup']) {
await p.locator(`.graphiql-tab-button[title="${n}"]`).click();
await p.waitForTimeout(1000);
await p.locator('.graphiql-execute-button').click();
await p.waitForTimeout(2000);
await p.screenshot({path:`/tmp/shots/try-${n}.png`});
}
console.log(await p.locator('.graphiql-editor-tool .monaco-editor').count(), await p.locator('.graphiql-editor-tool .monaco-editor .view-lines').first().innerText());
await b.close();
