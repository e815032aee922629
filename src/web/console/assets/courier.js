// The courier's page without network: a report leaves the phone only after the server's answer named its key. Without
// this script the page's plain forms do the same.
const root = document.getElementById("kurir");
const here = location.pathname.match(/^\/kurir\/putaran\/([^/]+)$/);
const roundId = here && here[1];
const isShell = "shell" in root.dataset;
const W = {};
document.querySelectorAll("#kata [data-w]").forEach(e => { W[e.dataset.w] = e.textContent; });
const $ = (part, selector) => part.querySelector(selector);
const say = (word, n) => (W[word] || "").replace("{n}", n);
const bar = document.getElementById("jaringan");
const tabs = window.BroadcastChannel ? new BroadcastChannel("kurir") : null;
let db, rounds = [], reports = [], net = navigator.onLine ? "" : "off", running = null, again = false;
// Who is logged in, where that is known: couriers share phones.
let me = root.dataset.officer || "";
const isMine = r => !me || r.owner === me;

const answered = asked => new Promise((ok, no) => {
  asked.onsuccess = () => ok(asked.result);
  asked.onerror = () => no(asked.error);
});
function open() {
  const asked = indexedDB.open("kurir", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("rounds", { keyPath: "id" });
    asked.result.createObjectStore("reports", { keyPath: "seq", autoIncrement: true });
  };
  return answered(asked);
}
// One transaction; what it wrote is on the disk when it is through.
function change(work) {
  return new Promise((ok, no) => {
    const tx = db.transaction(["rounds", "reports"], "readwrite", { durability: "strict" });
    const of = { rounds: tx.objectStore("rounds"), reports: tx.objectStore("reports") };
    tx.oncomplete = () => { if (tabs) { tabs.postMessage(1); } ok(); };
    tx.onabort = tx.onerror = () => no(tx.error);
    of.rounds.getAll().onsuccess = r => {
      of.reports.getAll().onsuccess = q => work(of, r.target.result, q.target.result);
    };
  });
}
async function load() {
  const all = store => answered(db.transaction(store).objectStore(store).getAll());
  rounds = await all("rounds");
  reports = await all("reports");
}
const waiting = () => reports.filter(r => !r.result && isMine(r));
const isOpen = item => /planned|announced/.test(item.state);
// Couriers come back to whom they missed.
const canReport = (item, r) => isOpen(item) || item.state === "failed" && r.state === "out";
const day = r => new Date(r.date + "T00:00").toLocaleDateString(document.documentElement.lang,
  { weekday: "long", day: "numeric", month: "long" }) + ", " + (r.from + "–" + r.to).replace(/:/g, ".");
const round = id => rounds.find(r => r.id === id);

function key() {
  if (crypto.randomUUID) { return crypto.randomUUID(); }
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = b[6] & 15 | 64;
  b[8] = b[8] & 63 | 128;
  const hex = Array.from(b, x => (x + 256).toString(16).slice(1)).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// Asks the server; null where there is no answer, and `net` says why.
async function call(path, options) {
  const stop = window.AbortController ? new AbortController() : { abort: () => {} };
  const timer = setTimeout(() => stop.abort(), 20000);
  const how = { redirect: "manual", cache: "no-store", signal: stop.signal };
  try {
    const answer = await fetch("/kurir/putaran/" + path, Object.assign(how, options));
    if (answer.ok) { const body = await answer.json(); net = "on"; return body; }
    const status = answer.status;
    if (status === 404) { net = "on"; return { gone: true }; }
    // A session that is over is sent to the door.
    if (answer.type === "opaqueredirect" || status === 401) { net = "door"; }
    else { net = status >= 500 || /403|408|429/.test(status) ? "busy" : "refused"; }
  } catch (_) { net = "off"; } finally { clearTimeout(timer); }
  return null;
}

const wipe = id => change(of => of.rounds.delete(id));
const itemLabel = item => item ? item.position + ". " + item.name + ": " : "";
// What was reported of a round that is another's by now cannot be sent: who reported it is told, and tells the office.
const strand = id => change((of, rounds, reports) => {
  const known = rounds.find(r => r.id === id);
  const own = reports.filter(r => r.round === id && !r.result && isMine(r));
  if (!own.length) { of.rounds.delete(id); }
  own.forEach(r => {
    const item = known && known.round.items.find(i => i.id === r.report.item);
    r.label = itemLabel(item) + W["out." + r.report.outcome] + ". ";
    of.reports.put(Object.assign(r, { result: "refused", why: "gone" }));
  });
});
// Fetches a round, sends what was reported of it, in order, and learns what came of it.
async function exchange(id) {
  const data = await call(id + "/data");
  if (!data) { return false; }
  if (data.gone) {
    const who = await call("../saya");
    if (!who || who.gone) { return false; }
    me = who.officer;
    await strand(id);
    return true;
  }
  me = data.officer;
  await change(of => of.rounds.put({ id: id, owner: data.officer, mayOverride: data.may_override, round: data.round }));
  await load();
  const unsent = waiting().filter(r => r.round === id);
  while (unsent.length) {
    const some = unsent.splice(0, 20);
    const answer = await call(id + "/laporan", {
      method: "POST",
      headers: { "content-type": "application/json", "x-csrf": data.csrf },
      body: JSON.stringify({ reports: some.map(r => r.report) })
    });
    if (!answer) { return false; }
    // Given to somebody else between the two calls: nothing was taken.
    if (answer.gone) { return true; }
    await change((of, rounds, reports) => settle(of, rounds, reports, id, answer.reported));
  }
  if (/closed|cancelled/.test(data.round.state)) { await wipe(id); }
  return true;
}
function settle(of, rounds, reports, id, answers) {
  const known = rounds.find(r => r.id === id);
  answers.forEach(said => {
    const report = reports.find(r => r.report.key === said.key);
    const item = said.item;
    if (report) {
      // Of a report that was there before, `why` is what became of it then.
      const result = said.result === "repeated" ? said.why : said.result;
      if (result === "done") { of.reports.delete(report.seq); }
      else {
        of.reports.put(Object.assign(report, { result: result, why: said.why, label: itemLabel(item) }));
      }
    }
    if (known && item) { known.round.items = known.round.items.map(i => i.id === item.id ? item : i); }
  });
  if (known) { of.rounds.put(known); }
}

async function turn() {
  await load();
  const ids = waiting().map(r => r.round);
  if (roundId) { ids.unshift(roundId); }
  // What is carried today, before it is needed.
  document.querySelectorAll("[data-today]").forEach(e => ids.push(e.dataset.today));
  for (const id of new Set(ids)) { if (!await exchange(id)) { return; } }
}
async function sync() {
  if (running) { again = true; return running; }
  running = navigator.locks ? navigator.locks.request("kurir", turn) : turn();
  try { await running; } catch (_) { net = net || "off"; }
  running = null;
  await show();
  if (again) { again = false; sync(); }
}

async function write(report, form) {
  const known = round(roundId);
  await change((of, _, reports) => {
    // Another tab wrote one already.
    const same = reports.filter(r => isMine(r) && r.report.item === report.item);
    if (same.some(r => !r.result)) { return; }
    // What came back of an earlier try was seen: somebody tries again.
    same.forEach(r => of.reports.delete(r.seq));
    of.reports.add({ round: roundId, owner: known.owner, report: report });
  });
  form.remove();
  await show();
  sync();
}

const part = id => document.importNode(document.getElementById(id).content, true).firstElementChild;
const fill = id => { root.innerHTML = ""; root.appendChild(part(id)); };
const fields = form => {
  const found = {};
  new FormData(form).forEach((value, name) => { found[name] = value.trim(); });
  return found;
};
function openForm(li, item, id) {
  const old = $(li, "form");
  if (old) { old.remove(); if (old.dataset.of === id) { return; } }
  const form = part(id);
  form.dataset.of = id;
  form.querySelectorAll("[data-if]").forEach(e => {
    const is = { phone: item.phone, override: !item.phone || round(roundId).mayOverride };
    if (!is[e.dataset.if]) { e.remove(); }
  });
  // Whether it was given back is worth knowing where nobody demands it, too.
  if (!item.old_card_demanded) { form.querySelectorAll(".old input").forEach(e => { e.required = false; }); }
  form.querySelectorAll("[data-name]").forEach(e => { e.textContent = item.name; });
  const receiver = $(form, "[name=receiver]");
  if (receiver && item.receiver) {
    receiver.value = item.receiver;
    if (item.phone) { $(form, "[value=family]").checked = true; }
  }
  const fit = () => {
    const is = fields(form);
    form.querySelectorAll("[data-by]").forEach(e => {
      e.hidden = e.dataset.by.split(" ").indexOf(is.by) < 0;
      e.querySelectorAll("input").forEach(i => { i.disabled = e.hidden; });
    });
    const no = $(form, "[name=old_card][value=no]");
    if (no) { no.setCustomValidity(is.old_card === "no" && item.old_card_demanded ? W.old_card_demanded : ""); }
  };
  form.addEventListener("change", fit);
  fit();
  $(form, "[data-cancel]").addEventListener("click", () => { form.remove(); $(li, "button").focus(); });
  form.addEventListener("submit", event => {
    event.preventDefault();
    const report = Object.assign(fields(form), { key: key(), item: item.id, at: Date.now(), version: item.version });
    const press = $(form, ".main");
    press.disabled = true;
    write(report, form).then(() => $(li, "h2").focus(), () => { press.disabled = false; alert(W.not_kept); });
  });
  li.appendChild(form);
  form.querySelector("input").focus();
}

const verdict = (r, n) => say("why." + r.why, n) || say("result." + r.result, n);
const seen = r => change(of => of.reports.delete(r.seq)).then(show);
// Renewed only when it changed: an open form stays.
function face(li, item) {
  const mine = reports.filter(r => isMine(r) && r.report.item === item.id);
  const sent = mine.find(r => !r.result);
  const told = mine.find(r => r.result);
  const can = canReport(item, round(roundId).round);
  const mark = JSON.stringify([item, mine, can]);
  if (li.dataset.mark === mark) { return; }
  li.dataset.mark = mark;
  const set = (selector, text) => { const e = $(li, selector); e.textContent = text || ""; e.hidden = !text; };
  set("h2", item.position + ". " + item.name);
  set(".where", [item.rt || item.rw ? "RT " + (item.rt || "–") + "/RW " + (item.rw || "–") : "", item.dusun, item.address]
    .filter(Boolean).join(", "));
  set(".tail", W.tail + item.tail);
  set(".answer", item.answer ? W["answer." + item.answer] + (item.answer === "family" && item.receiver ? ": " + item.receiver : "") : "");
  set(".note", item.note);
  set(".state", sent ? W.queued + " " + W["out." + sent.report.outcome] : W["out." + item.outcome] || W["state." + item.state]);
  $(li, ".state").className = "state badge " + (sent ? "warn" : item.state === "done" ? "good" : "");
  li.classList.toggle("over", !isOpen(item));
  $(li, ".doing").hidden = !can || !!sent;
  const undo = $(li, ".undo");
  undo.hidden = !sent;
  undo.onclick = () => seen(sent).then(() => $(li, "h2").focus());
  if (!can && $(li, "form")) { $(li, "form").remove(); }
  const box = $(li, ".told");
  box.hidden = !told;
  if (told) {
    $(box, "p").textContent = verdict(told, item.attempts_left);
    $(box, "button").onclick = () => seen(told).then(() => $(li, "h2").focus());
  }
  $(li, ".got").onclick = () => openForm(li, item, "t-got");
  $(li, ".not").onclick = () => openForm(li, item, "t-not");
}

function showRound() {
  const known = round(roundId);
  if (!known) {
    if (net === "on") { fill("t-closed"); } else if (net && isShell) { fill("t-none"); }
    return;
  }
  if (!$(root, "ol.live")) { fill("t-round"); }
  const list = $(root, "ol.live");
  const r = known.round;
  const left = r.items.filter(i => isOpen(i) && !waiting().some(q => q.report.item === i.id)).length;
  $(root, "h1").textContent = W.round + " " + day(r);
  $(root, ".left").textContent = say("left", left) + " " + say("of", r.items.length);
  $(root, ".early").hidden = r.state === "out";
  const stand = {};
  Array.from(list.children).forEach(li => { stand[li.id] = li; });
  r.items.slice().sort((a, b) => a.position - b.position).forEach(item => {
    let li = stand[item.id];
    delete stand[item.id];
    if (!li) {
      li = part("t-item");
      li.id = item.id;
      $(li, "h2").id = "h-" + item.id;
      li.querySelectorAll("button").forEach(b => b.setAttribute("aria-describedby", "h-" + item.id));
      list.appendChild(li);
    }
    face(li, item);
  });
  Object.keys(stand).forEach(id => { stand[id].remove(); });
}
function showList() {
  if (!isShell) { return; }
  fill(rounds.length ? "t-list" : "t-none");
  rounds.forEach(known => {
    const a = $($(root, "ul").appendChild(part("t-link")), "a");
    a.href += known.id;
    a.textContent = day(known.round);
  });
}
// Reports whose item is not on this page.
function showLoose() {
  const box = document.getElementById("lepas");
  const loose = reports.filter(r => r.result && isMine(r) && !document.getElementById(r.report.item));
  const mark = JSON.stringify(loose);
  if (box.dataset.mark === mark) { return; }
  box.dataset.mark = mark;
  box.innerHTML = "";
  loose.forEach(r => {
    const told = part("t-told");
    $(told, "p").textContent = r.label + verdict(r, "");
    $(told, "button").onclick = () => seen(r);
    box.appendChild(told);
  });
}
async function show() {
  await load();
  if (roundId) { showRound(); } else { showList(); }
  showLoose();
  const n = waiting().length;
  const words = say(net ? "net." + net + (n ? "" : ".0") : "net.wait", n);
  const line = $(bar, "p");
  if (line.textContent !== words) { line.textContent = words; }
  bar.className = net === "on" && !n ? "good" : net === "off" || n ? "warn" : "";
  bar.hidden = false;
  $(bar, "button").hidden = !n || net === "door";
  const door = $(bar, "a");
  door.hidden = net !== "door";
  door.href = "/console/masuk?next=" + encodeURIComponent(location.pathname);
}

// The page itself, with its style and script, for the time without network.
function keepShell() {
  const is = navigator.serviceWorker;
  const tell = word => { document.getElementById("siap").textContent = W[word]; };
  if (!is) { tell("no_shell"); return; }
  is.addEventListener("message", event => { if (event.data === "kept") { tell("shell"); } });
  is.register("/kurir/sw.js").then(() => is.ready).then(it => {
    if (isShell) { tell("shell"); return; }
    const files = Array.from(document.querySelectorAll("link[rel=stylesheet], script[src]"),
      e => e.getAttribute("href") || e.getAttribute("src"));
    it.active.postMessage({ keep: files.concat("/kurir/luring") });
  }).catch(() => tell("no_shell"));
  if (navigator.storage && navigator.storage.persist) { navigator.storage.persist().catch(() => {}); }
}

async function begin() {
  db = await open();
  // The way out of the console wipes the rounds of whoever leaves.
  localStorage.setItem("kurir", "1");
  if (!isShell && !roundId && $(root, "[data-rounds]")) {
    const live = $(root, "[data-rounds]").dataset.rounds.split(" ");
    await change((of, rounds) => {
      rounds.forEach(r => { if (live.indexOf(r.id) < 0) { of.rounds.delete(r.id); } });
    });
  }
  await show();
  keepShell();
  addEventListener("online", sync);
  addEventListener("offline", () => { net = "off"; show(); });
  if (tabs) { tabs.onmessage = show; }
  $(bar, "button").addEventListener("click", sync);
  // What waits is tried often; what citizens answered, now and then.
  let idle = 0;
  setInterval(() => { idle += 1; if (waiting().length || idle % 9 === 0) { sync(); } }, 20000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) { sync(); } });
  document.addEventListener("submit", event => {
    const n = waiting().length;
    if (n && /keluar$/.test(event.target.action) && !confirm(say("leave", n))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
  sync();
}
begin().catch(() => { bar.hidden = false; $(bar, "p").textContent = W.not_kept; });
