import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

const PAGES = ["index", "talk", "enrol", "leader", "console", "admin", "recordings"];
const SERVER = process.env.POC_SERVER ?? "http://localhost:8080";
const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, "package.json"), "utf8"));

export default defineConfig({
  define: { __VERSION__: JSON.stringify(version) },
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    rollupOptions: {
      input: Object.fromEntries(PAGES.map((page) => [page, resolve(import.meta.dirname, `${page}.html`)])),
    },
  },
  server: {
    proxy: { "/api": SERVER, "/ws": { target: SERVER, ws: true } },
  },
  // The property tests are long on a machine that does other work too.
  test: { testTimeout: 30_000 },
  plugins: [
    {
      // The server maps /talk to talk.html; so does the development server.
      name: "pages-by-name",
      configureServer(server) {
        server.middlewares.use((request, _response, next) => {
          const page = /^\/(\w+)(?=[/?]|$)/.exec(request.url ?? "")?.[1];
          if (page && PAGES.includes(page)) request.url = `/${page}.html`;
          next();
        });
      },
    },
  ],
});
