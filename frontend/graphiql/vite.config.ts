import { defineConfig } from 'vite';

export default defineConfig({
  base: '/graphiql/',
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
