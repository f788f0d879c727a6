// Numbers and times as people read them.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function count(n) { return grouped.format(n); }

// counted is a number of things: "1 file", "2 files".
function counted(n, thing) { return count(n) + " " + thing + (n === 1 ? "" : "s"); }

// short is three figures and a prefix, in thousands.
function short(n, unit) {
  const prefixes = ["", "k", "M", "G", "T", "P", "E"];
  let i = 0;
  while (Math.abs(n) >= 999.5 && i < prefixes.length - 1) { n /= 1000; i++; }
  const digits = Math.abs(n) >= 99.95 ? 0 : 1;
  return n.toFixed(digits).replace(/\.0$/, "") + (prefixes[i] || unit ? "\u202f" : "") + prefixes[i] + (unit || "");
}

function bytes(n) { return short(n, "B"); }

// number has two decimals, as scores and distances have.
function number(x) { return Math.abs(x) >= 1e6 ? x.toExponential(1) : x.toFixed(2).replace("-", "\u2212"); }

function percent(share) {
  const p = 100 * share;
  return (p >= 10 || p === 0 ? p.toFixed(0) : p >= 0.1 ? p.toFixed(1) : "<\u202f0.1") + "\u202f%";
}

function span(seconds) {
  if (seconds < 1) return Math.round(seconds * 1000) + "\u202fms";
  if (seconds < 120) return +seconds.toFixed(1) + "\u202fs";
  if (seconds < 7200) return +(seconds / 60).toFixed(1) + "\u202fmin";
  if (seconds < 172800) return +(seconds / 3600).toFixed(1) + "\u202fh";
  return count(seconds / 86400) + "\u202fdays";
}

// windowName is the length of a window in words.
function windowName(seconds) {
  if (seconds % 3600 === 0) return seconds / 3600 + "\u202fh";
  if (seconds % 60 === 0) return seconds / 60 + "\u202fmin";
  return seconds + "\u202fs";
}

// firstTime and lastTime are the years 0 and 9999, beyond which dates have more digits.
const firstTime = -62167219200, lastTime = 253402300799.999;

function stamp(seconds) { return new Date(Math.max(firstTime, Math.min(lastTime, seconds)) * 1000).toISOString(); }

function day(seconds) { return stamp(seconds).slice(0, 10); }

function clock(seconds) { return stamp(seconds).slice(11, 19); }

function clockMillis(seconds) { return stamp(seconds).slice(11, 23); }

// oneDay says whether the whole report is of one day: then times need no date.
const oneDay = () => day(report.first) === day(report.last);

function when(seconds) { return oneDay() ? clock(seconds) : day(seconds) + " " + clock(seconds); }

// period is two times, the second as short as it can be.
function period(from, to) {
  if (from === to) return `${day(from)} ${clockMillis(from)}`;
  return day(from) === day(to) ? `${day(from)} ${clock(from)} \u2013 ${clock(to)}` : `${day(from)} ${clock(from)} \u2013 ${day(to)} ${clock(to)}`;
}

// breakable is a text that may be broken between the groups of an address, and
// anywhere when it is long.
function breakable(text, attributes) {
  const parts = visible(text).match(/[^:]{1,24}:{0,2}|:{1,2}/gu) || [];
  return el("bdi", attributes, parts.map((part, i) => [i > 0 ? el("wbr") : null, part]));
}

function address(text) { return breakable(text, { class: "addr" }); }

// pair is a conversation in words.
function pair(orig, resp) { return el("span", null, address(orig), " \u2192 ", address(resp)); }

// timeTicks are up to n round times between two.
function timeTicks(from, to, n) {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
  const step = steps.find((s) => (to - from) / s <= n);
  if (!step) return monthTicks(from, to, n);
  const ticks = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) ticks.push(t);
  return { ticks, text: (t) => (step >= 86400 ? day(t) : step >= 60 ? clock(t).slice(0, 5) : clock(t)) };
}

// monthTicks are up to n beginnings of months between two times, as far apart as
// divides a year or is a round number of years.
function monthTicks(from, to, n) {
  const months = (to - from) / (30.4 * 86400);
  const apart = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000, 24000].find((m) => months / m <= n) || 60000;
  const first = new Date(Math.max(firstTime, from) * 1000);
  const ticks = [];
  for (let m = Math.ceil((12 * first.getUTCFullYear() + first.getUTCMonth()) / apart) * apart; m < 12 * 10000; m += apart) {
    const date = new Date(0);
    date.setUTCFullYear(Math.floor(m / 12), m % 12);
    const t = date.getTime() / 1000;
    if (t > to) break;
    if (t >= from) ticks.push(t);
  }
  return { ticks, text: (t) => (apart >= 12 ? day(t).slice(0, 4) : day(t).slice(0, 7)) };
}

// roundTicks are two to four round numbers from 0 to about top.
function roundTicks(top) {
  const power = 10 ** Math.floor(Math.log10(top / 2));
  const step = Math.max(1, [1, 2, 5, 10].map((m) => m * power).find((s) => top / s <= 4));
  const ticks = [];
  for (let v = step; v <= top; v += step) ticks.push(v);
  return ticks;
}
