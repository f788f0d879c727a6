// The page: read the data, choose the report of the highest alert, draw.

const report = JSON.parse(document.getElementById("data").textContent);
report.windows = report.windows || [];
report.incidents = report.incidents || [];
report.names = report.names || [];
const alerts = report.incidents.filter(isAlert);
const state = { length: 0, index: 0 }; // the report that is shown

function firstReport() {
  const there = (a) => report.windows.some((w) => w.ts === a.ts && w.window === a.window);
  const best = [...alerts].sort((a, b) => b.score - a.score).find(there);
  const w = best || report.windows[report.windows.length - 1];
  if (!w) return;
  state.length = w.window;
  state.index = sameLength().findIndex((o) => o.ts === w.ts);
}

function draw() {
  if (report.traffic || alerts.length) drawOverview();
  if (report.windows.length) drawWindow();
}

function main() {
  firstReport();
  const page = document.getElementById("page");
  page.append(head());
  if (report.traffic || alerts.length) page.append(trafficSection());
  if (report.windows.length) page.append(windowSection());
  if (report.incidents.length) page.append(incidentSection());
  document.body.append(tooltip);
  document.title = "pcapdir report, " + (report.timed ? period(report.first, report.last) : visible(report.dir));
  draw();
  if (report.incidents.length) drawIncidents();
  let width = page.clientWidth;
  new ResizeObserver(() => { // a scrollbar that appears is not a resize of the window
    if (width === page.clientWidth) return;
    width = page.clientWidth;
    draw();
  }).observe(page);
}

main();
