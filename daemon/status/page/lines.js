// Throughput and lag over the last hour.

let samples = []; // the newest last; counters in totals since the daemon's start

const hour = 3600;

// perSecond is how fast a counter rose up to sample i; a daemon that began anew counts from 0.
function perSecond(what, i) {
  const a = samples[i - 1], b = samples[i];
  return b.time > a.time ? Math.max(0, b[what] - a[what]) / (b.time - a.time) : 0;
}

const measures = {
  packets: { name: "Packets", of: (i) => perSecond("packets", i), unit: (v) => short(v) + "/s" },
  bytes: { name: "Bits", of: (i) => 8 * perSecond("bytes", i), unit: (v) => short(v, "bit/s") },
  conns: { name: "Connections", of: (i) => perSecond("conns", i), unit: (v) => short(v) + "/s" },
  lag: { name: "Lag", of: (i) => samples[i].lag === null ? null : Math.max(0, samples[i].lag), unit: span },
  waiting: { name: "Files", of: (i) => samples[i].waiting, unit: (v) => short(v) },
  active_conns: { name: "Open", of: (i) => samples[i].active_conns, unit: (v) => short(v) },
  memory: { name: "Memory", of: (i) => samples[i].memory, unit: bytes },
  cpu: { name: "CPU", of: (i) => perSecond("cpu", i), unit: (v) => percent(v) },
};

const charts = [
  { title: "Throughput", all: ["packets", "bytes", "conns"], shown: "packets", node: null },
  { title: "Behind", all: ["lag", "waiting", "active_conns", "memory", "cpu"], shown: "lag", node: null },
];

const chartWords = { lag: "How far the logs lie behind the wall clock. Captures of another day lie behind by that long.", waiting: "Files in the spool that are not wholly read." };

function linesSection() {
  return el("section", { "aria-labelledby": "lines-title" }, el("h2", { id: "lines-title" }, "The last hour"),
    el("div", { class: "pair-of-charts" }, charts.map((c) => {
      c.node = el("div", { class: "picture" });
      c.caption = el("p", { class: "caption" });
      return el("div", null, el("div", { class: "section-head" }, el("h3", null, c.title),
        choice(c.title, c.all.map((m) => [m, measures[m].name]), c.shown, (m) => { c.shown = m; drawLines(); })), c.node, c.caption);
    })));
}

function drawLines() { charts.forEach(drawChart); }

function drawChart(c) {
  const m = measures[c.shown], points = [];
  for (let i = 1; i < samples.length; i++) points.push([samples[i].time, m.of(i)]);
  c.caption.textContent = chartWords[c.shown] || "";
  const there = points.filter(([, v]) => v !== null);
  if (there.length === 0) return c.node.replaceChildren(el("p", { class: "empty" }, "Nothing yet: a point comes every few seconds."));
  const width = widthOf(c.node), height = 170, left = 76, right = width - 8, floor = height - 24, roof = 12;
  const to = points[points.length - 1][0], from = Math.max(to - hour, Math.min(points[0][0], to - 60));
  const top = Math.max(...there.map(([, v]) => v)) || 1;
  const x = (t) => left + (t - from) / (to - from) * (right - left), y = (v) => floor - v / top * (floor - roof);
  const picture = svg("svg", { width, height, role: "img", "aria-label": `${m.name}: ${m.unit(there[there.length - 1][1])} now, ${m.unit(top)} at most` });
  picture.append(timeAxis(x, from, to, floor, width), valueAxis(y, [top / 2, top], left, right, m.unit), // whatever the unit is
    svg("line", { class: "base", x1: left, x2: right, y1: floor, y2: floor }), curve(points, x, y, floor));
  picture.addEventListener("pointermove", (e) => {
    const px = e.clientX - picture.getBoundingClientRect().left;
    const near = there.reduce((a, b) => Math.abs(x(b[0]) - px) < Math.abs(x(a[0]) - px) ? b : a);
    showTooltip(e, el("strong", null, clock(near[0])), line(m.name, m.unit(near[1])));
  });
  picture.addEventListener("pointerleave", hideTooltip);
  c.node.replaceChildren(picture);
}

function curve(points, x, y, floor) {
  let path = "", area = "", start = null, end = null;
  for (const [t, v] of points) {
    if (v === null) continue;
    const at = `${x(t).toFixed(1)} ${y(v).toFixed(1)}`;
    path += (path ? "L" : "M") + at;
    area += "L" + at;
    start = start === null ? x(t) : start;
    end = x(t);
  }
  return svg("g", { class: "curve" },
    svg("path", { class: "under", d: `M${start.toFixed(1)} ${floor}${area}L${end.toFixed(1)} ${floor}Z` }), svg("path", { class: "over", d: path }));
}
