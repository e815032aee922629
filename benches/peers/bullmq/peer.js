// BullMQ as an office would set it up: `fill FIRST COUNT`, `work`, `left`.
// The same message as Kabar's goes out, and a job counts as done once BullMQ recorded it.
const { Queue, Worker } = require("bullmq");
const { Pool } = require("undici");
const { once } = require("node:events");
const { message } = require("./message.js");

const { PEER_REDIS_PORT, PEER_SINK, PEER_IN_FLIGHT } = process.env;
const connection = { host: "127.0.0.1", port: Number(PEER_REDIS_PORT), maxRetriesPerRequest: null };
const CHUNK = 500;

async function fill(first, count) {
  const queue = new Queue("messages", { connection });
  for (let from = first; from < first + count; from += CHUNK) {
    const jobs = [];
    for (let number = from; number < Math.min(from + CHUNK, first + count); number += 1) {
      jobs.push({ name: "send", data: message(number) });
    }
    await queue.addBulk(jobs);
  }
  await queue.close();
}

async function work() {
  const inFlight = Number(PEER_IN_FLIGHT);
  const sink = new Pool(PEER_SINK, { connections: inFlight });
  const headers = { "content-type": "application/json", authorization: "Bearer token" };
  const path = "/v25.0/1000000001/messages";
  const send = async (job) => {
    const body = JSON.stringify(job.data);
    const answer = await sink.request({ method: "POST", path, headers, body });
    const { messages } = await answer.body.json();
    return messages[0].id;
  };
  const worker = new Worker("messages", send, { connection, concurrency: inFlight });
  await once(process, "SIGTERM");
  await worker.close();
  await sink.close();
}

async function left() {
  const queue = new Queue("messages", { connection });
  const jobs = await queue.getJobs(["wait", "active", "delayed", "failed"]);
  for (const job of jobs) console.log(job.data.biz_opaque_callback_data);
  await queue.close();
}

const [command, first, count] = process.argv.slice(2);
const commands = { fill: () => fill(Number(first), Number(count)), work, left };
commands[command]();
