// The office's program in front of Kannel: `fill FIRST COUNT` hands messages over and waits until
// each is accepted, by as many requests at a time as everybody else has.
const { Pool } = require("undici");

const { PEER_SENDSMS_URL, PEER_IN_FLIGHT } = process.env;

async function fill(first, count) {
  const inFlight = Number(PEER_IN_FLIGHT);
  const kannel = new Pool(PEER_SENDSMS_URL, { connections: inFlight });
  let next = first;
  const lane = async () => {
    while (next < first + count) {
      const number = next++;
      const query = new URLSearchParams({
        username: "office",
        password: "office",
        to: `+62812${String(number).padStart(8, "0")}`,
        text: `msg_${String(number).padStart(26, "0")}`,
      });
      const path = `/cgi-bin/sendsms?${query}`;
      const answer = await kannel.request({ method: "GET", path });
      const said = await answer.body.text();
      if (answer.statusCode !== 202) throw new Error(`Kannel refused: ${answer.statusCode} ${said}`);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  await kannel.close();
}

const [, first, count] = process.argv.slice(2);
fill(Number(first), Number(count));
