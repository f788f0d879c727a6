// The table of incidents: alerts first, with their reasons.

const table = { words: "", only: true, order: "score", shown: 50, open: new Set(), body: null, count: null, more: null, only_box: null };

function isAlert(a) { return a.label === "anomalous"; }

// textOf is what the filter looks into.
function textOf(a) {
  return [a.actor, a["id.orig_h"], a["id.resp_h"], a.service, a.msg, when(a.ts), ...(a.uids || [])].join(" ").toLowerCase();
}

function filtered() {
  const words = table.words.toLowerCase().split(/\s+/).filter(Boolean);
  const list = report.incidents.filter((a) => (!table.only || isAlert(a)) && words.every((word) => textOf(a).includes(word)));
  const by = table.order === "score" ? (a, b) => b.score - a.score : (a, b) => b.ts - a.ts || a.window - b.window || a.rank - b.rank;
  return list.sort((a, b) => isAlert(b) - isAlert(a) || by(a, b));
}

function incidentSection() {
  table.only = alerts.length > 0;
  table.body = el("tbody");
  table.count = el("p", { class: "caption", "aria-live": "polite" });
  table.more = el("button", { type: "button", class: "more-button", onclick: () => { table.shown += 100; drawIncidents(); } });
  const changed = () => { table.shown = 50; drawIncidents(); };
  table.only_box = el("input", { type: "checkbox", onchange: (e) => { table.only = e.target.checked; changed(); } });
  table.only_box.checked = table.only;
  return el("section", { id: "incidents", "aria-labelledby": "incidents-title" },
    el("div", { class: "section-head" }, el("h2", { id: "incidents-title" }, "Incidents"),
      choice("Order", [["score", "Highest score"], ["time", "Newest"]], table.order, (o) => { table.order = o; changed(); })),
    el("div", { class: "filter" },
      el("input", { type: "search", placeholder: "Address, service, reason, uid \u2026", "aria-label": "Filter incidents", oninput: (e) => { table.words = e.target.value; changed(); } }),
      el("label", null, table.only_box, "alerts only")),
    table.count,
    el("table", { class: "cards incidents" },
      el("thead", null, el("tr", null, ["Window to", "Score", "Actor", "Conversation", "Service", "Why", "Packets out / in", "Bytes out / in"].map((h) =>
        el("th", { scope: "col", class: /Score|Packets|Bytes/.test(h) ? "num" : "" }, h)))),
      table.body),
    el("p", null, table.more));
}

function drawIncidents() {
  const list = filtered(), rows = list.slice(0, table.shown);
  table.count.textContent = list.length === 0 ? "Nothing fits." : shownAlerts(list.filter(isAlert).length) +
    (table.only ? "" : ` and ${count(list.filter((a) => !isAlert(a)).length)} that are no alerts: the first of their reports all the same`) + ". Choose one to see its reasons.";
  table.body.replaceChildren(...rows.flatMap((a) => [incidentRow(a), table.open.has(a) ? detailRow(a) : null]).filter(Boolean));
  table.more.textContent = `Show more of ${count(list.length)}`;
  table.more.hidden = rows.length === list.length;
}

function shownAlerts(n) {
  return alerts.length < report.all_alerts ? `${count(n)} of ${counted(report.all_alerts, "alert")}` : counted(n, "alert");
}

function toggle(a) {
  if (table.open.has(a)) table.open.delete(a);
  else table.open.add(a);
  drawIncidents();
  const button = table.body.querySelector(`[data-at="${report.incidents.indexOf(a)}"] button`);
  if (button) button.focus({ preventScroll: true });
}

function incidentRow(a) {
  const open = table.open.has(a);
  return el("tr", { class: (isAlert(a) ? "row alert" : "row") + (open ? " open" : ""), "data-at": report.incidents.indexOf(a), onclick: (e) => { if (!window.getSelection().toString() || e.detail === 0) toggle(a); } },
    el("th", { scope: "row", class: "time" }, el("button", { type: "button", class: "expand", "aria-expanded": String(open), "aria-label": `Details of ${visible(a.actor)} at ${when(a.ts)}` }, "\u203a"),
      when(a.ts).split(" ").map((part) => [el("span", { class: "unbroken" }, part), " "]), el("span", { class: "length" }, windowName(a.window))),
    el("td", { class: "num score", "data-name": "Score" }, number(a.score)),
    el("td", { class: "host", "data-name": "Actor" }, address(a.actor)),
    el("td", { class: "host", "data-name": "Conversation" }, pair(a["id.orig_h"], a["id.resp_h"])),
    el("td", { class: "service", "data-name": "Service" }, breakable(a.service)),
    el("td", { class: "wide why" }, a.msg ? quote(a.msg) : el("span", { class: "faint-text" }, "no single reason"), " ", isCut(a) ? cutTag() : null, repeats(a), siblings(a)),
    el("td", { class: "num", "data-name": "Packets out / in" }, `${short(a.orig_pkts)} / ${short(a.resp_pkts)}`),
    el("td", { class: "num", "data-name": "Bytes out / in" }, `${short(a.orig_bytes)} / ${short(a.resp_bytes)}`));
}

function repeats(a) {
  return a.repeats ? el("span", { class: "tag" }, `${counted(a.repeats, "repeat")} until ${when(a.until)}`) : null;
}

function siblings(a) {
  return a.siblings ? el("span", { class: "tag" }, `${counted(a.siblings, "conversation")} more like it`) : null;
}

function detailRow(a) {
  return el("tr", { class: "detail" }, el("td", { colspan: 8 }, el("div", { class: "detail-split" },
    el("div", null,
      line("first packet", `${day(a.first)} ${clockMillis(a.first)}`), line("last packet", `${day(a.last)} ${clockMillis(a.last)}`),
      line("originator", `${counted(a.orig_pkts, "packet")}, ${bytes(a.orig_bytes)}`), line("responder", `${counted(a.resp_pkts, "packet")}, ${bytes(a.resp_bytes)}`),
      line("cluster", String(a.cluster)), line("rank in its report", String(a.rank)), line("baseline", quote(a.baseline)),
      uidList(a),
      report.windows.some((w) => w.ts === a.ts && w.window === a.window) ?
        el("button", { type: "button", class: "more-button", onclick: (e) => { e.stopPropagation(); showIncident(a); } }, "Show its report") :
        el("p", { class: "caption" }, "Its report is not on this page.")),
    whyTable(a))));
}

function uidList(a) {
  if (!a.uids || a.uids.length === 0) return null;
  return el("div", { class: "uids" }, line("connections", ...a.uids.map((uid) => el("code", null, quote(uid)))),
    el("p", { class: "caption" }, "pcapdird report --uid UID LOGDIR says which captures may hold one."));
}

function whyTable(a) {
  return el("div", null, el("table", { class: "why-table" },
    el("thead", null, el("tr", null, el("th", { scope: "col" }, "Reason"), el("th", { scope: "col", class: "num" }, "In its cluster"),
      el("th", { scope: "col", class: "num" }, "Deviations"), el("th", { scope: "col" }, "Weight"))),
    el("tbody", null, (a.why || []).map((w) => el("tr", null,
      el("th", { scope: "row", title: visible(w.feature) }, quote(w.text)),
      el("td", { class: "num" }, quote(w.near)), el("td", { class: "num" }, (w.z > 0 ? "+" : "") + number(w.z)),
      el("td", { class: "part" }, bar(w.pct / 100), el("span", { class: "num" }, percent(w.pct / 100))))))),
    el("p", { class: "caption" }, "\u201cUsually\u201d is the median that deviations are counted from: of the service\u2019s past, or of all. The score is the distance to the nearest cluster, and weights are parts of its square. " +
      "In the mode asura the median is that of the window, the score the share of the pairs that are in other clusters, and weights are parts of the squared distance to the median."));
}

// openIncident opens an incident in the table and goes there.
function openIncident(a) {
  if (!filtered().includes(a)) {
    table.words = "";
    document.querySelector("#incidents input[type=search]").value = "";
    table.only_box.checked = table.only = table.only && isAlert(a);
  }
  table.shown = Math.max(table.shown, filtered().indexOf(a) + 1);
  table.open.add(a);
  drawIncidents();
  const row = table.body.querySelector(`[data-at="${report.incidents.indexOf(a)}"]`);
  row.scrollIntoView({ block: "center", behavior: calm() });
}

// showIncident shows an incident's report.
function showIncident(a) {
  if (!report.windows.some((w) => w.ts === a.ts && w.window === a.window)) return openIncident(a);
  chooseReport(a.window, a.ts);
  document.getElementById("report").scrollIntoView({ behavior: calm() });
}

// calm is how to scroll for somebody who may not like movement.
function calm() { return window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"; }
