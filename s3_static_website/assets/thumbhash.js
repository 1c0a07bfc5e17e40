// ThumbHash, read: a blurred picture out of about 25 bytes. The format is Evan Wallace's (evanw.github.io/thumbhash);
// pipeline/images/thumbhash.py writes it.

const SIDE = 24;
const MOST_WAVES = 7;
// What each wave is worth at each pixel of a row: the same for every picture.
const COSINES = Array.from({ length: MOST_WAVES }, (_, n) =>
  Float32Array.from({ length: SIDE }, (_, at) => Math.cos((Math.PI / SIDE) * (at + 0.5) * n)),
);

/** A small canvas with the blur that the base64 text `placeholder` holds; null where it holds none. */
export function blur(placeholder) {
  const hash = bytesOf(placeholder);
  if (hash === null) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const picture = new ImageData(paint(hash), SIDE, SIDE);
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

function bytesOf(text) {
  if (typeof text !== "string" || text.length < 8 || text.length > 64) return null;
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** RGBA bytes of SIDE × SIDE pixels; the page stretches them to the shape of the image. */
function paint(hash) {
  const { light, warmth, tint, alpha } = channels(hash);
  const rgba = new Uint8ClampedArray(SIDE * SIDE * 4);
  for (let y = 0; y < SIDE; y += 1) {
    for (let x = 0; x < SIDE; x += 1) {
      const l = light(x, y);
      const q = tint(x, y);
      const blue = l - (2 / 3) * warmth(x, y);
      const red = (3 * l - blue + q) / 2;
      rgba.set([red * 255, (red - q) * 255, blue * 255, alpha(x, y) * 255], (y * SIDE + x) * 4);
    }
  }
  return rgba;
}

function channels(hash) {
  const colour = hash[0] | (hash[1] << 8) | (hash[2] << 16);
  const shape = hash[3] | (hash[4] << 8);
  const seeThrough = colour >> 23;
  const most = seeThrough ? 5 : 7;
  const [across, down] = shape >> 15 ? [most, shape & 7] : [shape & 7, most];
  const next = nibbles(hash, seeThrough ? 6 : 5);
  // The order in which the amplitudes are stored.
  const light = waves(next, (colour & 63) / 63, ((colour >> 18) & 31) / 31, Math.max(3, across), Math.max(3, down));
  const warmth = waves(next, ((colour >> 6) & 63) / 31.5 - 1, (((shape >> 3) & 63) / 63) * 1.25, 3, 3);
  const tint = waves(next, ((colour >> 12) & 63) / 31.5 - 1, (((shape >> 9) & 63) / 63) * 1.25, 3, 3);
  const alpha = seeThrough ? waves(next, (hash[5] & 15) / 15, (hash[5] >> 4) / 15, 5, 5) : () => 1;
  return { light, warmth, tint, alpha };
}

/** Reads four bits after four, as numbers from −1 to 1. */
function nibbles(hash, from) {
  let at = 0;
  return () => {
    const byte = hash[from + (at >> 1)] ?? 0;
    const value = (byte >> ((at & 1) << 2)) & 15;
    at += 1;
    return value / 7.5 - 1;
  };
}

/** One channel as a function of the pixel: its mean and a triangle of waves. */
function waves(next, mean, scale, across, down) {
  const parts = [];
  for (let y = 0; y < down; y += 1) {
    for (let x = y ? 0 : 1; x * down < across * (down - y); x += 1) parts.push([COSINES[x], COSINES[y], 2 * scale * next()]);
  }
  return (x, y) => {
    let sum = mean;
    for (const [wave, other, size] of parts) sum += size * wave[x] * other[y];
    return sum;
  };
}
