// The page: read the data, draw the report of the highest alert first.

// choose takes the window of the highest alert, or the last one.
function choose() {
  const there = (a) => report.windows.some((w) => w.ts === a.ts && w.window === a.window);
  const best = [...alerts].sort((a, b) => b.score - a.score).find(there);
  const w = best || report.windows[report.windows.length - 1];
  if (!w) return;
  state.length = w.window;
  state.index = sameLength().findIndex((o) => o.ts === w.ts);
}

function draw() {
  if (overview.node) drawOverview();
  if (report.windows.length) drawWindow();
}

function main() {
  setReport(JSON.parse(document.getElementById("data").textContent));
  choose();
  panel.changed = draw;
  const page = document.getElementById("page");
  page.append(head());
  if (report.traffic || alerts.length) page.append(trafficSection());
  if (report.windows.length) page.append(windowSection());
  if (report.incidents.length) page.append(incidentSection());
  document.body.append(tooltip);
  document.title = "pcapdir report, " + (report.timed ? period(report.first, report.last) : visible(report.dir));
  draw();
  if (report.incidents.length) drawIncidents();
  whenResized(page, draw);
}

main();
