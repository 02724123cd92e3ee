// The installed app opens without network and says so itself: pages come from the net, else from the shell kept here.
// Nothing of /api or /ws is ever kept.

const SHELL = "poc-shell-v1";
const PAGES = ["/", "/talk"];
const PAGE_TIMEOUT_MS = 3000;

self.addEventListener("install", (event) => {
  event.waitUntil(Promise.all(PAGES.map(keepPage)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOldShells().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(fromShell(request));
  else if (request.mode === "navigate" && PAGES.includes(url.pathname)) event.respondWith(page(url.pathname));
});

// A message for one who is not connected: shown whatever else goes on, and a touch opens the page it belongs to.
self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data?.json() ?? {};
  } catch {
    // Whatever it was, a browser wants something shown.
  }
  const { title = "PoC", body = "", id = "", urgent = false, url = "/" } = told;
  event.waitUntil(
    self.registration.showNotification(title, {
      body,
      tag: id,
      renotify: Boolean(id) && urgent,
      requireInteraction: urgent,
      silent: false,
      vibrate: urgent ? [400, 200, 400, 200, 400] : [150],
      icon: "/icon-192.png",
      data: { url },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(bringForward(event.notification.data?.url ?? "/"));
});

async function bringForward(path) {
  const windows = await self.clients.matchAll({ type: "window" });
  const open = windows.find(({ url }) => new URL(url).pathname === path);
  return open ? open.focus() : self.clients.openWindow(path);
}

/** Files under /assets/ carry the hash of their content in their name: what is kept is right. */
async function fromShell(request) {
  const shell = await caches.open(SHELL);
  const kept = await shell.match(request);
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok) await shell.put(request, response.clone());
  return response;
}

async function page(path) {
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(PAGE_TIMEOUT_MS) });
    if (response.ok) void keep(path, response.clone());
    return response;
  } catch {
    const shell = await caches.open(SHELL);
    return (await shell.match(path)) ?? Response.error();
  }
}

async function keepPage(path) {
  const response = await fetch(path, { cache: "no-cache" });
  if (response.ok) await keep(path, response);
}

/** Keeps a page and the assets that it names. */
async function keep(path, response) {
  const shell = await caches.open(SHELL);
  const text = await response.clone().text();
  await shell.put(path, response);
  const assets = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((found) => found[1]);
  const missing = [];
  for (const asset of assets) if (!(await shell.match(asset))) missing.push(asset);
  await shell.addAll(missing);
}

async function dropOldShells() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== SHELL).map((name) => caches.delete(name)));
}
