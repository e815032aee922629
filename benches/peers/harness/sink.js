// The sink: takes every message the way a provider would, and counts them by their ids.
// It keeps nothing but ids, says where it listens, and ends when its input does.
const http = require("node:http");

const ID = /"biz_opaque_callback_data":"([^"]*)"/;
const ids = {};
let calls = 0;

function add(id) {
  calls += 1;
  ids[id] = (ids[id] || 0) + 1;
}

function answer(response, value) {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

const server = http.createServer((request, response) => {
  if (request.method === "POST") {
    let body = "";
    request.on("data", (part) => { body += part; });
    request.on("end", () => {
      add(ID.exec(body)?.[1] ?? "");
      answer(response, { messages: [{ id: `wamid.${calls}`, message_status: "accepted" }] });
    });
  } else if (request.url === "/count") {
    answer(response, { calls, messages: Object.keys(ids).length });
  } else if (request.url === "/ids") {
    answer(response, ids);
  } else {
    // Kannel's HTTP route knows only GET; the whole query is the id.
    add(request.url.split("?")[1] ?? "");
    response.end("accepted");
  }
});
// A worker that pauses must not find its connection closed.
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}`));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
