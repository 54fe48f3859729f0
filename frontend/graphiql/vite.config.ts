import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/',
  html: { cspNonce: 'KONTOR_NONCE' }, // server/graphiql.py writes another one into each page
  worker: { format: 'es' },
  build: {
    assetsInlineLimit: 0, // fonts and images stay same-origin files, so the policy needs no data: for fonts
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000, // Monaco
    rolldownOptions: {
      onwarn(warning, warn) {
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning); // "use client" means nothing here
      },
    },
  },
});
