// Keeps the courier's page, its style and its script on the phone, and answers with them when the network does not.
// It keeps nothing about any citizen: what a round holds is the page's own business.
"use strict";
const KEPT = "kurir";
// A page that hangs on a bad network is worse than the one on the phone.
const PATIENCE = 6000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", event => event.waitUntil(self.clients.claim()));

// All of it or nothing: a script must not meet the page of another version.
async function keep(files) {
  const answers = await Promise.all(files.map(file => {
    return fetch(file, { credentials: "same-origin", redirect: "error", cache: "no-cache" });
  }));
  if (answers.some(answer => !answer.ok)) { throw new Error("not all there"); }
  const cache = await caches.open(KEPT);
  await Promise.all(answers.map((answer, n) => cache.put(files[n], answer)));
  const old = (await cache.keys()).filter(request => {
    const url = new URL(request.url);
    return files.indexOf(url.pathname + url.search) < 0;
  });
  await Promise.all(old.map(request => cache.delete(request)));
}
self.addEventListener("message", event => {
  if (!event.data || !event.data.keep) { return; }
  event.waitUntil(keep(event.data.keep).then(() => event.source.postMessage("kept"), () => {}));
});

async function page(request) {
  const kept = await caches.match("/kurir/luring");
  if (!kept) { return fetch(request); }
  let timer;
  const late = new Promise(ok => { timer = setTimeout(() => ok(kept.clone()), PATIENCE); });
  const asked = fetch(request).then(answer => answer.status < 500 ? answer : kept, () => kept);
  return Promise.race([asked, late]).then(answer => { clearTimeout(timer); return answer; });
}
self.addEventListener("fetch", event => {
  const request = event.request;
  const path = new URL(request.url).pathname;
  if (request.method !== "GET") { return; }
  if (request.mode === "navigate") {
    if (/^\/kurir\/(putaran\/[^/]+)?$/.test(path)) { event.respondWith(page(request)); }
  } else if (path.startsWith("/console/assets/")) {
    event.respondWith(caches.match(request).then(kept => kept || fetch(request)));
  }
});
