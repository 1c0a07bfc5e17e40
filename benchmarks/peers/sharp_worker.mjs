// What worker.py is for Python: paths come in a line, CPU and wall seconds, peak memory and results go out in one.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [, , modules, way] = process.argv;
const sharp = createRequire(modules + "/")("sharp");
sharp.cache(false);
sharp.concurrency(1);

const WAYS = {
  "sharp": { jpeg: { quality: 80 }, png: {}, webp: { quality: 80 }, gif: {} },
  "sharp tuned": {
    jpeg: { quality: 80, optimiseCoding: false },
    png: { compressionLevel: 9, adaptiveFiltering: true },
    webp: { quality: 80 },
    gif: {},
  },
  "sharp mozjpeg": { jpeg: { quality: 80, mozjpeg: true }, png: {}, webp: { quality: 80 }, gif: {} },
};

function peakMegabytes() {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024;
}

async function work(data) {
  const picture = sharp(data, { limitInputPixels: false }).autoOrient();
  const { format } = await picture.metadata();
  const box = { width: 256, height: 256, fit: "inside", withoutEnlargement: true };
  return Promise.all([
    picture.clone().resize(box).webp({ quality: 80 }).toBuffer(),
    picture.clone()[format](WAYS[way][format]).toBuffer(),
  ]);
}

// As many at once as asked for: each takes the next file when it is done with one.
async function all(files, atOnce) {
  const made = [];
  let next = 0;
  async function one() {
    while (next < files.length) {
      const place = next++;
      made[place] = await work(files[place]);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one));
  return made;
}

function length(made, place) {
  return made.reduce((sum, pair) => sum + pair[place].length, 0);
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const files = request.files.map((name) => readFileSync(name));
  const begun = process.cpuUsage();
  const since = performance.now();
  const made = await all(files, request.at_once);
  const wall = (performance.now() - since) / 1e3;
  const used = process.cpuUsage(begun);
  if (request.keep) writeFileSync(request.keep, made[0][1]);
  const cpu = (used.user + used.system) / 1e6;
  console.log(JSON.stringify({ cpu, wall, peak: peakMegabytes(), small: length(made, 0), whole: length(made, 1) }));
}
