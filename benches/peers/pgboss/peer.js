// pg-boss on PostgreSQL as an office would set it up: `fill FIRST COUNT`, `work`, `left`.
// The same message as Kabar's goes out, and a job counts as done once its row says so.
const PgBoss = require("pg-boss");
const { Pool } = require("undici");
const { message } = require("./message.js");

const { PEER_POSTGRES_URL, PEER_SINK, PEER_IN_FLIGHT } = process.env;
const CHUNK = 500;
const PAUSE_MS = 500;

async function open() {
  const boss = new PgBoss({ connectionString: PEER_POSTGRES_URL });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue("messages");
  return boss;
}

async function fill(first, count) {
  const boss = await open();
  for (let from = first; from < first + count; from += CHUNK) {
    const jobs = [];
    for (let number = from; number < Math.min(from + CHUNK, first + count); number += 1) {
      jobs.push({ name: "messages", data: message(number) });
    }
    await boss.insert(jobs);
  }
  await boss.stop();
}

async function work() {
  const inFlight = Number(PEER_IN_FLIGHT);
  const sink = new Pool(PEER_SINK, { connections: inFlight });
  const headers = { "content-type": "application/json", authorization: "Bearer token" };
  const path = "/v25.0/1000000001/messages";
  const send = async (job) => {
    const body = JSON.stringify(job.data);
    const answer = await sink.request({ method: "POST", path, headers, body });
    await answer.body.json();
  };
  const boss = await open();
  // Its own loop waits half a second between two batches, so a worker that has much to do fetches
  // by itself, as its manual shows.
  let stopping = false;
  process.on("SIGTERM", () => { stopping = true; });
  while (!stopping) {
    const jobs = await boss.fetch("messages", { batchSize: inFlight });
    if (jobs.length === 0) {
      await new Promise((wake) => setTimeout(wake, PAUSE_MS));
      continue;
    }
    await Promise.all(jobs.map(send));
    await boss.complete("messages", jobs.map((job) => job.id));
  }
  await boss.stop();
  await sink.close();
}

async function left() {
  const boss = await open();
  const { rows } = await boss.getDb().executeSql(
    "SELECT data->>'biz_opaque_callback_data' AS id FROM pgboss.job "
      + "WHERE name = 'messages' AND state <> 'completed'",
  );
  for (const row of rows) console.log(row.id);
  await boss.stop();
}

const [command, first, count] = process.argv.slice(2);
const commands = { fill: () => fill(Number(first), Number(count)), work, left };
commands[command]();
