// What worker.py is for Python: a file's path comes in a line, CPU seconds, peak memory and results go out in one.
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

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const data = readFileSync(request.file);
  const begun = process.cpuUsage();
  const [small, whole] = await work(data);
  const used = process.cpuUsage(begun);
  if (request.keep) writeFileSync(request.keep, whole);
  const cpu = (used.user + used.system) / 1e6;
  console.log(JSON.stringify({ cpu, peak: peakMegabytes(), small: small.length, whole: whole.length }));
}
