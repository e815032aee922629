// What pages do better with a script: htmx carries the form token, live parts follow the server's events, and a
// press on something that cannot be undone asks first. Everything works without it.
(function () {
  "use strict";
  var meta = document.querySelector('meta[name="csrf"]');
  document.addEventListener("htmx:configRequest", function (event) {
    if (meta) { event.detail.headers["X-CSRF"] = meta.content; }
  });
  document.addEventListener("submit", function (event) {
    var asked = event.submitter && event.submitter.dataset.ask || event.target.dataset.ask;
    if (asked && !window.confirm(asked)) { event.preventDefault(); return; }
    // A second press on a slow line must not send twice.
    if (event.target.method === "post" && !event.target.hasAttribute("data-again")) {
      if (event.target.dataset.sent) { event.preventDefault(); return; }
      event.target.dataset.sent = "1";
      window.setTimeout(function () { delete event.target.dataset.sent; }, 8000);
    }
  });
  // Whoever leaves takes nobody's address along: rounds that the courier's page keeps on the device are wiped first.
  // Reports that the office has not accepted stay.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || !/\/console\/keluar$/.test(form.action) || !window.localStorage.kurir) { return; }
    event.preventDefault();
    var leave = function () { HTMLFormElement.prototype.submit.call(form); };
    var asked = window.indexedDB.open("kurir", 1);
    asked.onupgradeneeded = function () { asked.transaction.abort(); };
    asked.onerror = leave;
    asked.onsuccess = function () {
      var wiping = asked.result.transaction("rounds", "readwrite");
      wiping.objectStore("rounds").clear();
      wiping.oncomplete = wiping.onabort = leave;
    };
  });
  // Whoever has pressed a button is on the way to a page that says what came of it: no news may load another before.
  var leaving = false;
  window.addEventListener("submit", function (event) { leaving = leaving || !event.defaultPrevented; });
  // <div data-live="/console/…"> is replaced with every event of that address; it closes when the server says "end",
  // and with data-end the page is then loaded: "again" as it is, "anew" without what it said of the last act.
  document.querySelectorAll("[data-live]").forEach(function (part) {
    if (!window.EventSource) { return; }
    var source = new EventSource(part.dataset.live);
    source.addEventListener("part", function (event) { part.innerHTML = event.data; });
    source.addEventListener("end", function () {
      source.close();
      if (leaving) { return; }
      // What can be pressed now is other than what stands there.
      if (part.dataset.end === "anew") { window.location.replace(window.location.pathname); }
      if (part.dataset.end === "again") { window.location.reload(); }
    });
    window.addEventListener("pagehide", function () { source.close(); });
  });
  // On a phone the ways to other pages stand in one line: where one is comes into sight.
  var here = document.querySelector("nav a[aria-current=page]");
  if (here) { here.scrollIntoView({ block: "nearest", inline: "center" }); }
  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });
})();
