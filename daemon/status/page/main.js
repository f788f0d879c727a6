// The page asks the daemon again and again, while somebody looks at it.

const every = 2000, analyzedEvery = 10000; // milliseconds
const live = { made: null, asked: 0, last: null, silent: null, reports: null };

// ask is the answer of the daemon that this page came from; null: there was none.
async function ask(what) {
  try {
    const answer = await fetch(what, { signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    const value = await answer.json();
    live.silent.hidden = true;
    return value;
  } catch (e) {
    live.silent.hidden = false;
    live.silent.textContent = `The daemon does not answer (${e.message}). ` +
      (live.last ? `What is below is as it was at ${clock(live.last.time)}, UTC; this page goes on asking.` : "This page goes on asking.");
    return null;
  }
}

function drawNow(n) {
  live.last = n;
  samples = samples.concat(n.history.filter((s) => s.n > have())).slice(-720);
  drawHead(n);
  drawLines();
  drawSpool(n);
  drawShards(n);
}

// forget is what another daemon begins with: it has no part in what the last one showed.
function forget() {
  samples = [];
  shardsBefore = live.last = live.made = panel.title = table.body = null;
  setReport({});
  live.reports.replaceChildren();
}

function drawAnalyzed(a) {
  live.made = a.made;
  drawPairs(a);
  takeReport(a.report);
  if (report.windows.length > 0 && !panel.title) live.reports.append(windowSection());
  if (report.incidents.length > 0 && !table.body) live.reports.append(incidentSection());
  if (panel.title) drawWindow();
  if (table.body) drawIncidents();
}

// takeReport shows newer reports: the newest one of the shortest windows, unless another length or an older one was
// chosen that is still there. What is open in the table stays open.
function takeReport(data) {
  const before = chosen(), follow = !before || state.index === sameLength().length - 1;
  const name = (a) => [a.ts, a.window, a.rank, a.label].join(), open = new Set([...table.open].map(name));
  setReport(data);
  table.open = new Set(report.incidents.filter((a) => open.has(name(a))));
  const lengths = report.windows.map((w) => w.window);
  state.length = before && lengths.includes(before.window) ? before.window : Math.min(...lengths);
  const list = sameLength(), again = list.findIndex((w) => before && w.ts === before.ts);
  state.index = follow || again < 0 ? list.length - 1 : again;
}

// have is the newest sample that is here; they are numbered from 1.
function have() { return samples.length ? samples[samples.length - 1].n : 0; }

async function look() {
  let n = await ask(`now.json?have=${have()}`);
  if (n && live.last && live.last.since !== n.since) {
    forget();
    n = await ask(`now.json?have=${have()}`);
  }
  if (!n) return;
  drawNow(n);
  if (live.made !== null && (n.made === live.made || Date.now() - live.asked < analyzedEvery)) return;
  live.asked = Date.now();
  const a = await ask("analyzed.json");
  if (!a) return;
  drawAnalyzed(a);
  drawHead(n);
}

async function watch() {
  for (;;) {
    try {
      if (!document.hidden) await look();
    } catch (e) { // a bug: to be seen, and no end of asking
      reportError(e);
      live.silent.hidden = false;
      live.silent.textContent = `This page has an error: ${e.message}`;
    }
    await new Promise((done) => setTimeout(done, every));
  }
}

function redraw() {
  if (live.last) drawLines();
  if (panel.title && report.windows.length) drawWindow();
}

function main() {
  const page = document.getElementById("page");
  live.silent = el("p", { class: "notice warn", role: "alert", hidden: true });
  live.reports = el("div");
  page.append(live.silent, headSection(), linesSection(), spoolSection(), shardSection(), pairSection(), live.reports);
  document.body.append(tooltip);
  whenResized(page, redraw);
  watch();
}

main();
