// Numbers and times as people read them, in the language of the page.

import { language } from "./words.js";

const UNITS = ["B", "kB", "MB", "GB", "TB"];

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const dollars = new Intl.NumberFormat(language, { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" });
const price = new Intl.NumberFormat(language, {
  style: "currency",
  currency: "USD",
  currencyDisplay: "narrowSymbol",
  maximumFractionDigits: 4,
});
const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const month = new Intl.DateTimeFormat(language, { year: "numeric", month: "long", timeZone: "UTC" });

export const count = (number) => whole.format(number);

/** Bytes in units of a thousand, to two digits at least: 812 B, 48 kB, 3.5 MB. */
export const bytes = (number) => weight(number).join("\u00a0");

/** Bytes before and after, the unit said once where it is the same: 3.5 → 1.2 MB. */
export function bytesFromTo(before, after) {
  const [number, unit] = weight(before);
  return `${unit === weight(after)[1] ? number : `${number}\u00a0${unit}`} → ${bytes(after)}`;
}

function weight(number) {
  let unit = 0;
  // 999.5 rounds to 1,000: then the next unit says it better.
  while (number >= 999.5 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return [(unit && number < 9.95 ? tenths : whole).format(number), UNITS[unit]];
}

/** A share of one as percent; never 100 % while anything is left. */
export const share = (part) => percent.format(part > 0.99 && part < 1 ? 0.99 : part);

/** What was saved, as a change with a true minus sign: −74 %; 0 % where it is less than half a percent. */
export function change(savedPercent) {
  const sign = savedPercent >= 0.5 ? "−" : savedPercent <= -0.5 ? "+" : "";
  return sign + share(Math.abs(savedPercent) / 100);
}

/** Dollars and cents; what is less than a cent is said to be that. */
export const money = (amount) => (amount < 0.01 ? `< ${dollars.format(0.01)}` : dollars.format(amount));

/** A price, which may be a part of a cent. */
export const unitPrice = (amount) => price.format(amount);

/** An ISO time in the reader's time zone; what is none, as it is. */
export function moment(text) {
  const date = new Date(text);
  return Number.isNaN(date.valueOf()) ? String(text) : time.format(date);
}

/** "2026-03" as March 2026. */
export const monthName = (text) => month.format(new Date(`${text}-01T00:00:00Z`));
