// One report: the selector, its picture, its incidents and its clusters.

let report = { windows: [], incidents: [], names: [] }; // what is shown
let alerts = []; // of its incidents
const state = { length: 0, index: 0 }; // which of its windows

// setReport takes what package report has made.
function setReport(data) {
  report = { ...data, windows: data.windows || [], incidents: data.incidents || [], names: data.names || [] };
  alerts = report.incidents.filter(isAlert);
}

// panel.changed draws what another choice of the window changes: that, and more on some pages.
const panel = { changed: () => drawWindow(), title: null, slider: null, picture: null, caption: null, side: null, clusters: null, focus: null, allClusters: false };

// sameLength are the reports of the chosen length, in the order of time.
function sameLength() { return report.windows.filter((w) => w.window === state.length); }

// chosen is the report that is shown, or undefined.
function chosen() { return sameLength()[state.index]; }

function incidentsOf(w) {
  return report.incidents.filter((a) => a.ts === w.ts && a.window === w.window);
}

// chooseReport shows a report by its length and end, or the nearest one.
function chooseReport(length, ts) {
  state.length = length;
  const list = sameLength();
  let best = 0;
  list.forEach((w, i) => { if (Math.abs(w.ts - ts) < Math.abs(list[best].ts - ts)) best = i; });
  state.index = best;
  panel.focus = null;
  panel.changed();
}

function step(by) {
  const list = sameLength();
  state.index = Math.max(0, Math.min(list.length - 1, state.index + by));
  panel.focus = null;
  panel.changed();
}

function windowSection() {
  panel.lengths = el("div");
  panel.title = el("p", { class: "window-title", "aria-live": "polite" });
  panel.slider = el("input", { type: "range", min: 0, step: 1, "aria-label": "Report", oninput: () => step(Number(panel.slider.value) - state.index) });
  panel.picture = el("div", { class: "picture" });
  panel.caption = el("p", { class: "caption" });
  panel.side = el("div", { class: "side" });
  panel.clusters = el("div");
  return el("section", { id: "report", "aria-labelledby": "report-title" },
    el("div", { class: "section-head" }, el("h2", { id: "report-title" }, "Conversations of a report"), panel.lengths),
    el("div", { class: "selector" },
      el("button", { type: "button", "aria-label": "Report before", onclick: () => step(-1) }, "\u2039"),
      panel.slider,
      el("button", { type: "button", "aria-label": "Report after", onclick: () => step(1) }, "\u203a")),
    panel.title,
    el("div", { class: "split" }, el("div", null, panel.picture, panel.caption), panel.side),
    panel.clusters);
}

function drawWindow() {
  const list = sameLength(), w = chosen(), found = incidentsOf(w);
  const lengths = [...new Set(report.windows.map((o) => o.window))].sort((a, b) => a - b);
  panel.lengths.replaceChildren(choice("Length of the window", lengths.map((l) => [l, windowName(l)]), state.length, (l) => chooseReport(l, w.ts)));
  panel.slider.max = list.length - 1;
  panel.slider.value = state.index;
  panel.slider.setAttribute("aria-valuetext", period(w.ts - w.window, w.ts));
  panel.title.replaceChildren(el("strong", null, period(w.ts - w.window, w.ts)),
    ` \u00b7 report ${state.index + 1} of ${list.length}` + (w.pairs ? ` \u00b7 ${counted(w.pairs, "conversation")} in ${counted((w.clusters || []).length + w.hidden, "cluster")}, model of ${w.k}` : ""),
    w.complete ? "" : cutTag());
  drawPicture(w, found);
  panel.side.replaceChildren(incidentList(found), clusterLegend(w));
  panel.clusters.replaceChildren(w.clusters && w.clusters.length ? clusterTable(w) : "");
}

function drawPicture(w, found) {
  const drawn = drawScatter(panel.picture, w, found, panel.focus);
  panel.caption.textContent = drawn ? sample((w.points || []).length, w.pairs) +
    "Near is alike: the axes are the first two principal components of the model\u2019s features, without a unit, and much is not in them; the score is made of all features. " +
    "Bigger dots have more bytes, rings are the incidents beside, red those that are alerts." + (drawn.bent ? " What lies far out is drawn closer." : "") : "";
}

// sample says how many conversations are drawn, of all where that is known.
function sample(n, all) {
  if (n === 0) return "Only incidents are drawn. ";
  if (n < all) return `A sample of ${count(n)} of ${counted(all, "conversation")}. `;
  if (all === 0) return `${counted(n, "conversation")} of vectors.log. `;
  return n === 1 ? "The only conversation. " : `All ${count(n)} conversations. `;
}

// isCut says whether an incident's window lacks something; older logs do not say.
function isCut(a) { return a.complete === false; }

function cutTag() {
  return el("span", { class: "tag", title: "The window lacks something: late packets, or it is cut at an end of the capture. What is in it may look odd for that alone." }, "cut window");
}

function incidentList(found) {
  const held = el("p", { class: "caption" }, "An alert that was said shortly before (anomaly.mute, an hour by default) has no line of its own, other than in the mode asura.");
  if (found.length === 0) return el("div", null, el("p", { class: "empty" }, "No incident of this report is on this page."), held);
  return el("div", null, el("h3", null, "Incidents of this report"),
    el("ol", { class: "incident-list" }, found.map((a) => el("li", null,
      el("button", { type: "button", class: isAlert(a) ? "incident alert" : "incident", onclick: () => openIncident(a) },
        el("span", { class: "rank" }, String(a.rank)),
        el("span", { class: "incident-what" }, address(a.actor), " ", breakable(a.service)),
        el("span", { class: "incident-score" }, number(a.score)),
        a.msg ? el("span", { class: "incident-msg" }, quote(a.msg)) : null)))), held);
}

function clusterLegend(w) {
  const color = colors(w), sizes = clusterSizes(w), shown = sizes.slice(0, 10);
  const others = sizes.slice(10).reduce((sum, [, n]) => sum + n, 0);
  if (shown.length === 0) return "";
  return el("div", null, el("h3", null, "Biggest clusters"),
    el("ul", { class: "legend clusters" }, shown.map(([name, n]) => el("li", null, el("button", {
      type: "button", "aria-pressed": String(panel.focus === name), title: "show only this cluster",
      onclick: () => { panel.focus = panel.focus === name ? null : name; drawWindow(); },
    }, swatch(color(name)), el("b", null, String(name)), el("span", null, count(n))))),
    others > 0 ? el("li", { class: "others" }, swatch("var(--rest)"), `others ${count(others)}`) : null));
}

const fewClusters = 8;

function clusterTable(w) {
  const color = colors(w), rows = panel.allClusters ? w.clusters : w.clusters.slice(0, fewClusters);
  const hidden = w.clusters.length - rows.length;
  return el("div", null, el("h3", null, "Clusters"),
    el("table", { class: "cards clusters-table" },
      el("thead", null, el("tr", null, ["Cluster", "Size", "Share", "Spread", "Drift", "Its centroid"].map((h, i) => el("th", { scope: "col", class: i > 0 && i < 5 ? "num" : "" }, h)))),
      el("tbody", null, rows.map((c) => clusterRow(c, color)))),
    w.clusters.length > fewClusters ? el("p", null, el("button", { type: "button", class: "more-button", onclick: () => { panel.allClusters = !panel.allClusters; drawWindow(); } },
      panel.allClusters ? "Show the biggest only" : `Show ${count(hidden)} more`)) : null,
    el("p", { class: "caption" }, "Spread is the mean distance of members to the centroid, drift how far the centroid moved when the model was last fitted, both in the units of the clustering. " +
      "Of a centroid those features are told that are farthest from the median of these centroids (\u201cusually\u201d); those of the mode asura are told as they are." + (w.hidden ? ` ${count(w.hidden)} smaller clusters are left out.` : "")));
}

function clusterRow(c, color) {
  return el("tr", null,
    el("th", { scope: "row", "data-name": "Cluster" }, swatch(color(c.name)), String(c.name)),
    el("td", { class: "num", "data-name": "Size" }, count(c.size)),
    el("td", { class: "num share", "data-name": "Share" }, percent(c.share), bar(c.share)),
    el("td", { class: "num", "data-name": "Spread" }, number(c.spread)),
    el("td", { class: "num", "data-name": "Drift" }, c.drift === null ? "new" : number(c.drift)),
    el("td", { class: "wide" }, (c.tells || []).length ? quote(c.tells.join("; ")) : "nothing: it is as most clusters are"));
}
