// Traffic over the whole period, and the alerts on the same axis.

const overview = { what: "bytes", node: null };

// alertTime is when an alert's conversation began.
function alertTime(a) { return a.first || a.ts; }

function overviewRange() {
  const t = report.traffic;
  let from = t ? t.start : report.first;
  let to = t ? t.start + t.width * t.series[0].bytes.length : report.last;
  for (const a of alerts) {
    from = Math.min(from, alertTime(a));
    to = Math.max(to, alertTime(a));
  }
  return [from, Math.max(to, from + 1)];
}

function seriesName(s) { return s.name || "other"; }

function trafficSection() {
  overview.node = el("div", { class: "picture" });
  const t = report.traffic;
  const legend = t ? el("ul", { class: "legend" },
    t.series.map((s, i) => el("li", null, swatch(seriesColor(t, i)), quote(seriesName(s))))) : null;
  return el("section", { "aria-labelledby": "traffic-title" },
    el("div", { class: "section-head" },
      el("h2", { id: "traffic-title" }, "Over time"),
      t ? choice("What is counted", [["bytes", "Bytes"], ["conns", "Connections"]], overview.what, (w) => { overview.what = w; drawOverview(); }) : null),
    legend, overview.node,
    el("p", { class: "caption" },
      t ? `Stretches of ${span(t.width)}, by service, or by protocol where none is known. Bytes are those of IP packets, spread evenly over each connection\u2019s duration; connections count where they begin. ` : "",
      alerts.length ? "Each red dot is an alert: where its conversation began, and its score; full dots are of the window length chosen below. Choose one to see its report." + (alerts.length < report.all_alerts ? ` ${count(alerts.length)} of ${count(report.all_alerts)} are shown.` : "") : ""));
}

function seriesColor(t, i) { return t.series[i].name ? `var(--c${i})` : "var(--rest)"; }

function drawOverview() {
  const width = widthOf(overview.node), left = 52, right = width - 8;
  const traffic = report.traffic ? 190 : 0, lane = alerts.length ? 84 : 0;
  const laneTop = traffic + (traffic ? 22 : 8), bottom = laneTop + lane;
  const [from, to] = overviewRange();
  const x = (t) => left + (t - from) / (to - from) * (right - left);
  const picture = svg("svg", { width, height: bottom + 22, role: "img", "aria-label": "Traffic and alerts over time; the tables below have the alerts" });
  picture.append(shade(x, from, laneTop, bottom));
  picture.append(timeAxis(x, from, to, bottom, width));
  if (traffic) picture.append(stack(x, traffic, left, right));
  if (lane) picture.append(alertLane(x, laneTop, bottom, left, right));
  picture.addEventListener("pointermove", (e) => pointAt(e, picture, from, to, left, right));
  picture.addEventListener("pointerleave", hideTooltip);
  overview.node.replaceChildren(picture);
}

// shade marks the window of the report that is shown below.
function shade(x, from, top, bottom) {
  const w = chosen();
  if (!w) return "";
  const a = x(Math.max(from, w.ts - w.window)), b = x(w.ts);
  return svg("rect", { class: "shade", x: a, y: 4, width: Math.max(2, b - a), height: bottom - 4 });
}

function stack(x, height, left, right) {
  const t = report.traffic, n = t.series[0].bytes.length;
  const sums = new Array(n).fill(0);
  for (const s of t.series) s[overview.what].forEach((v, i) => { sums[i] += v; });
  const top = Math.max(...sums, 1), floor = height, roof = 10;
  const y = (v) => floor - v / top * (floor - roof);
  const unit = overview.what === "bytes" ? bytes : (v) => short(v);
  const group = valueAxis(y, roundTicks(top), left, right, unit);
  const below = new Array(n).fill(0);
  t.series.forEach((s, k) => {
    let path = "";
    s[overview.what].forEach((v, i) => {
      if (v <= 0) return;
      const a = x(t.start + i * t.width), b = x(t.start + (i + 1) * t.width);
      const gap = b - a > 4 ? 1 : 0;
      path += `M${a.toFixed(1)} ${y(below[i]).toFixed(1)}V${y(below[i] + v).toFixed(1)}H${(b - gap).toFixed(1)}V${y(below[i]).toFixed(1)}Z`;
      below[i] += v;
    });
    const area = svg("path", { d: path });
    area.style.fill = seriesColor(t, k);
    group.append(area);
  });
  group.append(svg("line", { class: "base", x1: left, x2: right, y1: floor, y2: floor }));
  return group;
}

function alertLane(x, top, bottom, left, right) {
  const most = Math.max(...alerts.map((a) => a.score), 1e-9);
  const y = (score) => bottom - 6 - Math.max(0, score) / most * (bottom - top - 14);
  const r = alerts.length > 150 ? 3 : 4.5;
  const group = svg("g", null,
    svg("text", { class: "axis-text", x: left - 6, y: y(most) + 4, "text-anchor": "end" }, number(most)),
    svg("text", { class: "axis-text", x: left - 6, y: (y(most) + bottom) / 2 + 2, "text-anchor": "end" }, "score"),
    svg("text", { class: "axis-text", x: left - 6, y: bottom, "text-anchor": "end" }, "0"),
    svg("line", { class: "base", x1: left, x2: right, y1: bottom, y2: bottom }));
  for (const a of alerts) {
    const at = x(alertTime(a));
    group.append(svg("g", {
      class: "mark" + (a.window === state.length ? "" : " other"),
      onclick: () => showIncident(a), onpointermove: (e) => { e.stopPropagation(); showTooltip(e, ...incidentTip(a)); },
    }, svg("line", { x1: at, x2: at, y1: bottom, y2: y(a.score) }), svg("circle", { cx: at, cy: y(a.score), r }),
      svg("circle", { class: "reach", cx: at, cy: y(a.score), r: 9 })));
  }
  return group;
}

// pointAt says what was at the time under the pointer.
function pointAt(event, picture, from, to, left, right) {
  const t = report.traffic;
  const px = event.clientX - picture.getBoundingClientRect().left;
  const at = from + (px - left) / (right - left) * (to - from);
  const i = t ? Math.floor((at - t.start) / t.width) : -1;
  if (i < 0 || i >= t.series[0].bytes.length) return hideTooltip();
  const unit = overview.what === "bytes" ? bytes : count;
  const rows = t.series.map((s, k) => [s[overview.what][i], s, k]).filter(([v]) => v > 0).map(([v, s, k]) =>
    el("div", { class: "line" }, el("span", { class: "line-name" }, swatch(seriesColor(t, k)), quote(seriesName(s))), el("span", { class: "line-value" }, unit(v))));
  const start = t.start + i * t.width;
  showTooltip(event, el("strong", null, period(start, start + t.width)), ...(rows.length ? rows : [el("div", null, "nothing")]));
}
