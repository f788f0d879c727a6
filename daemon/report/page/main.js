// The page: read the data, draw the report of the highest alert first.

function draw() {
  if (overview.node) drawOverview();
  if (report.windows.length) drawWindow();
}

function main() {
  setReport(JSON.parse(document.getElementById("data").textContent));
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
