// The head of the page: what period this is, how much, and what is missing.

function filesDetail() {
  if (Object.keys(report.files.outcomes).length === 0) return "none in spool.log";
  const others = Object.entries(report.files.outcomes).filter(([outcome]) => outcome !== "done");
  if (others.length === 0) return "all read to the end";
  return others.map(([outcome, n]) => count(n) + " " + visible(outcome)).join(", ");
}

function windowsDetail() {
  if (report.all_windows === 0) return "none in kmeans.log";
  return report.broken_windows ? `${counted(report.broken_windows, "window")} cut` : "all windows complete";
}

function tiles() {
  const files = report.files;
  const all = Object.values(files.outcomes).reduce((a, b) => a + b, 0);
  const lost = files.packets - files.handled;
  return el("dl", { class: "tiles" },
    tile("Alerts", count(report.all_alerts), report.all_alerts ? "in anomaly.log, repeats apart" : "none in anomaly.log", report.all_alerts ? "alert" : ""),
    tile("Reports", count(report.all_windows), windowsDetail()),
    tile("Connections", count(report.conns), "in conn.log"),
    files.known ? tile("Packets", count(files.packets), `${bytes(files.bytes)} captured` + (lost > 0 ? `, ${count(lost)} dropped` : "")) : null,
    files.known ? tile("Files", count(all), filesDetail()) : null);
}

function failures() {
  const failed = report.files.failed || [];
  if (failed.length === 0) return null;
  const all = report.files.outcomes.failed;
  return el("details", { class: "notice warn", open: failed.length <= 3 },
    el("summary", null, `${counted(all, "file")} could not be read to the end: what was readable is in the logs`),
    el("ul", null, failed.map((f) => el("li", null, address(f.file), ": ", quote(f.reason || "no reason given")))),
    all > failed.length ? el("p", null, `and ${count(all - failed.length)} more, in spool.log`) : null);
}

function notices() {
  const bad = report.bad.map((b) => [`${b.log}: ${counted(b.lines, "line")} could not be read and ${b.lines === 1 ? "is" : "are"} left out; the first is line ${count(b.first)} (`, quote(b.reason), ")."]);
  const all = bad.concat(report.notes);
  return all.length === 0 ? null : el("ul", { class: "notice", "aria-label": "What this page lacks" }, all.map((text) => el("li", null, text)));
}

// periodTitle is what packets there are, in time.
function periodTitle() {
  if (report.timed) return period(report.first, report.last);
  return report.files.packets > 0 ? "No packet with a time" : "No packets";
}

function head() {
  const length = report.last - report.first;
  return el("header", null,
    el("p", { class: "brand" }, "pcapdir report"),
    el("h1", null, periodTitle()),
    el("p", { class: "sub" }, report.timed ? (length > 0 ? span(length) + " of packet time" : "a single time stamp") + ", UTC \u00b7 " : "", address(report.dir)),
    tiles(), failures(), notices());
}
