// An adapter for `ipa conform`, from the documents alone: a product, and the passes of last touch.
import { createCipheriv, createHmac } from "node:crypto";
import { createInterface } from "node:readline";

const bytes = (hex) => Buffer.from(hex, "hex");
function refuse(wrong, stage, reason) { if (wrong) throw { reject: { stage, reason } }; }

// The three messages of a multiplication; all of a table's columns at once, byte for byte.
function multiply({ keys, session, x, y, delivered }) {
  refuse(keys.some((key) => key.length !== 64), "keys", "length");
  refuse(x.rows !== y.rows || ![1, y.width].includes(x.width), "input", "mismatch");
  const column = Buffer.alloc(Math.max(1, Math.ceil(y.rows / 8)), 255);
  if (y.rows % 8 || !y.rows) column[column.length - 1] = (1 << y.rows % 8) - 1;
  const keep = Buffer.concat(Array(y.width).fill(column));
  const label = `ipa prss 0 ${[...session].length} ${session} multiply`;
  const masks = keys.map((key) => {
    const aes = createHmac("sha256", bytes(key)).update(label).digest().subarray(0, 16);
    return createCipheriv("aes-128-ctr", aes, Buffer.alloc(16)).update(Buffer.alloc(keep.length));
  });
  const [a, b] = [x, y].map((t) => t.shares.map((s) => bytes(s.repeat(y.width / t.width))));
  const shares = [[0, 1], [1, 2], [2, 0]].map(([i, j]) => keep.map((bits, k) => {
    const product = (a[i][k] & (b[i][k] ^ b[j][k])) ^ (a[j][k] & b[i][k]); // of helper i + 1
    return (product ^ masks[i][k] ^ masks[j][k]) & bits;
  }).toString("hex"));
  const { payload: arrived } = delivered ?? { payload: shares[0] }; // whichever message it is
  refuse(arrived === null, "multiply", "missing");
  refuse(arrived.length !== 2 * keep.length, "multiply", "length");
  refuse(bytes(arrived).some((byte, k) => byte & ~keep[k]), "multiply", "padding");
  const send = (payload, i) => ({ step: "multiply", from: i + 1, to: (i + 2) % 3 + 1, payload });
  return { messages: shares.map(send), result: { ...y, shares } };
}

// Every pass of last touch attribution, in the clear.
function passes({ same_match_key_and_constraint: same, is_trigger: trigger, trigger_value }) {
  let [stop, credit] = [same.map(() => 1), trigger_value.map(BigInt)];
  refuse(new Set([same, trigger, credit].map((c) => c.length)).size > 1, "input", "mismatch");
  refuse([...same, ...trigger].some((bit) => bit !== 0 && bit !== 1), "input", "range");
  refuse(credit.some((value) => value < 0n), "input", "range");
  const done = [];
  for (let distance = 1; distance < same.length; distance *= 2) {
    const at = (list, i, beyond = 0) => (i + distance < list.length ? list[i + distance] : beyond);
    const flag = stop.map((bit, i) => bit & at(same, i) & at(trigger, i));
    stop = flag.map((bit, i) => bit & at(stop, i));
    credit = credit.map((value, i) => value + BigInt(flag[i]) * at(credit, i, 0n));
    done.push({ distance, flag, credit: credit.map((v) => (v < 2n ** 53n ? Number(v) : `${v}`)) });
  }
  return { passes: done };
}

const steps = { "messages/multiply": multiply, "clear/last-touch-passes": passes };
for await (const line of createInterface({ input: process.stdin })) {
  const { id, step, input } = JSON.parse(line);
  try {
    const output = step in steps ? steps[step](input) : { steps: Object.keys(steps) };
    console.log(JSON.stringify({ id, output }));
  } catch (refusal) {
    if (!refusal.reject) throw refusal;
    console.log(JSON.stringify({ id, ...refusal }));
  }
}
