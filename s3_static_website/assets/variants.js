// Variants of an image for the browser to choose among: <picture>, with a <source> for each modern format.

import { make } from "./elements.js";
import { pictureUrl } from "./urls.js";

// The first one that a browser knows counts: the one with the fewest bytes.
const MODERN = { "image/avif": "AVIF", "image/webp": "WebP" };
const ALWAYS_MADE = ["thumbnail", "compressed"];
const WIDEST = 20_000;

/**
 * `shown`, an img, in a <picture> with the variants of `image`; `shown` alone where there are none. `sizes`: how wide it
 * will be. `also`: which of the outputs that are always made may be chosen too.
 */
export function withVariants(shown, image, config, { sizes, also }) {
  const variants = variantsOf(image, config);
  if (!variants.length) return shown;
  const others = outputsOf(image, config).filter(({ name }) => also.includes(name));
  const sources = Object.keys(MODERN)
    .filter((type) => variants.some((output) => output.type === type))
    .map((type) => make("source", { type, sizes, srcset: srcset([...variants, ...others].filter((output) => output.type === type)) }));
  Object.assign(shown, { sizes, srcset: srcset(others) });
  return make("picture", {}, ...sources, shown);
}

/** Say anew how wide `shown` is. */
export function resize(shown, sizes) {
  for (const element of shown.closest("picture")?.children ?? []) if (element.sizes !== sizes) element.sizes = sizes;
}

/** Let `shown` do without its variants; false where it has none any more. */
export function dropVariants(shown) {
  const picture = shown.closest("picture");
  if (!picture) return false;
  shown.removeAttribute("srcset");
  picture.replaceWith(shown);
  return true;
}

/** Pixels across of the widest variant; 0 where there are none. */
export const widest = (image, config) => Math.max(0, ...variantsOf(image, config).map(({ width }) => width));

/** Formats and widths of the variants, for people; null where there are none. */
export function variantsInWords(image, config) {
  const variants = variantsOf(image, config);
  const formats = Object.keys(MODERN).map((type) => [MODERN[type], variants.filter((output) => output.type === type)]);
  const texts = formats
    .filter(([, outputs]) => outputs.length)
    .map(([name, outputs]) => `${name} ${outputs.map(({ width }) => width).join(", ")}`);
  return texts.length ? texts.join(" · ") : null;
}

const variantsOf = (image, config) =>
  outputsOf(image, config).filter(({ name, type }) => !ALWAYS_MADE.includes(name) && Object.hasOwn(MODERN, type));

/** The outputs that the record lists, narrowest first, as far as they can be trusted. */
function outputsOf({ Outputs: outputs }, config) {
  if (!Array.isArray(outputs)) return [];
  return outputs
    .map((output) => ({
      name: output?.OutputName,
      type: output?.OutputType,
      width: output?.OutputWidth,
      url: pictureUrl(output?.OutputURL, config),
    }))
    .filter(({ type, width, url }) => url && typeof type === "string" && Number.isInteger(width) && width > 0 && width <= WIDEST)
    .sort((one, other) => one.width - other.width);
}

// A comma or a space would end an address; a URL has no space, and ours have no comma at their ends.
const srcset = (outputs) => outputs.map(({ url, width }) => `${url} ${width}w`).join(", ");
