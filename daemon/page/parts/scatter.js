// The conversations of a report in the plane of its model.

// What stands where in a point; see Points in the program.
const X = 0, Y = 1, CLUSTER = 2, SCORE = 3, OPKTS = 4, OBYTES = 5, RPKTS = 6, RBYTES = 7, ORIG = 8, RESP = 9, SERVICE = 10;

// colors gives the biggest clusters of a report a colour each: that of its name,
// which it keeps from report to report, or the next one that is free.
function colors(w) {
  const biggest = clusterSizes(w).slice(0, 10);
  const given = new Map(), taken = new Set();
  for (const [name] of biggest) {
    let i = name % 10;
    while (taken.has(i)) i = (i + 1) % 10;
    taken.add(i);
    given.set(name, `var(--c${i})`);
  }
  return (name) => given.get(name) || "var(--rest)";
}

// clusterSizes are names and sizes, the biggest first; of the sample, where
// kmeans.log is missing.
function clusterSizes(w) {
  if (w.clusters && w.clusters.length) return w.clusters.map((c) => [c.name, c.size]);
  const sizes = new Map();
  for (const p of w.points || []) sizes.set(p[CLUSTER], (sizes.get(p[CLUSTER]) || 0) + 1);
  return [...sizes].sort((a, b) => b[1] - a[1]);
}

// axis maps values to pixels. Where a few lie far out it is linear inside and
// logarithmic outside, so that the many stay apart.
function axis(values, from, to) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => sorted[Math.round(q * (sorted.length - 1))];
  const middle = at(0.5), unit = Math.max(at(0.9) - at(0.1), 0.5);
  const bent = at(1) - at(0) > 6 * unit;
  const place = bent ? (v) => Math.asinh(2 * (v - middle) / unit) : (v) => v;
  const low = place(at(0)), high = place(at(1)), room = Math.max(high - low, 1e-9);
  const pixel = high > low ? (v) => from + (place(v) - low) / room * (to - from) : () => (from + to) / 2;
  return { pixel, bent };
}

// radius grows slowly with the bytes of a conversation.
function radius(bytes) { return 2.5 + Math.min(5.5, 0.75 * Math.log10(1 + bytes)); }

function drawScatter(node, w, list, dim) {
  const points = w.points || [];
  const all = points.map((p) => [p[X], p[Y]]).concat(list.map((a) => [a.x, a.y]));
  if (all.length === 0) return node.replaceChildren(el("p", { class: "empty" }, "vectors.log has nothing of this report."));
  const width = widthOf(node), height = Math.round(Math.min(540, Math.max(320, width * 0.66))), margin = 34;
  const x = axis(all.map((p) => p[0]), margin, width - margin), y = axis(all.map((p) => p[1]), height - margin, margin);
  const color = colors(w);
  const picture = svg("svg", { width, height, class: "scatter", role: "img", "aria-label": `${points.length} conversations of the report; its incidents are in the table` });
  picture.append(svg("rect", { class: "frame", x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: 6 }));
  const spots = points.map((p) => ({ p, x: x.pixel(p[X]), y: y.pixel(p[Y]), r: radius(p[OBYTES] + p[RBYTES]) }));
  for (const s of [...spots].sort((a, b) => b.r - a.r)) picture.append(dot(s.x, s.y, s.r, color(s.p[CLUSTER]), dim !== null && dim !== s.p[CLUSTER]));
  const rings = list.map((a) => ring(a, x.pixel(a.x), y.pixel(a.y)));
  for (const r of rings) picture.append(ringNode(r, spots, color));
  node.replaceChildren(picture);
  picture.append(...labels(rings, spots, width, height));
  picture.addEventListener("pointermove", (e) => nearest(e, picture, spots, rings));
  picture.addEventListener("pointerdown", (e) => nearest(e, picture, spots, rings));
  picture.addEventListener("pointerleave", hideTooltip);
  return { bent: x.bent || y.bent };
}

function dot(cx, cy, r, color, faint) {
  const node = svg("circle", { class: faint ? "dot faint" : "dot", cx: cx.toFixed(1), cy: cy.toFixed(1), r: r.toFixed(1) });
  node.style.fill = color;
  return node;
}

function ring(a, x, y) {
  return { a, x, y, r: radius(a.orig_bytes + a.resp_bytes) + 4 };
}

// ringNode draws an incident, with its dot where the sample does not have it.
function ringNode(r, spots, color) {
  const sampled = spots.some((s) => Math.hypot(s.x - r.x, s.y - r.y) < 0.7);
  return svg("g", { class: isAlert(r.a) ? "ring alert" : "ring", onclick: () => openIncident(r.a) },
    sampled ? null : dot(r.x, r.y, r.r - 4, color(r.a.cluster), false),
    svg("circle", { cx: r.x, cy: r.y, r: r.r }));
}

// labels puts each incident's rank, and an alert's service, where it hides no
// other label, no ring and, if that can be, no dot; one that fits nowhere is left
// out.
function labels(rings, spots, width, height) {
  const taken = rings.map((r) => ({ left: r.x - r.r, right: r.x + r.r, top: r.y - r.r, bottom: r.y + r.r, ring: r }));
  const nodes = [];
  for (const r of [...rings].sort((a, b) => isAlert(b.a) - isAlert(a.a) || b.a.score - a.a.score)) {
    const text = isAlert(r.a) ? `${r.a.rank} ${visible(r.a.service)}`.slice(0, 24) : String(r.a.rank);
    const w = 7.2 * text.length + 2, h = 14;
    const free = places(r, w, h).filter((b) => b.left > 3 && b.right < width - 3 && b.top > 3 && b.bottom < height - 3 &&
      !taken.some((t) => t.ring !== r && b.left < t.right && b.right > t.left && b.top < t.bottom && b.bottom > t.top));
    const box = free.find((b) => !spots.some((s) => s.x > b.left - s.r && s.x < b.right + s.r && s.y > b.top - s.r && s.y < b.bottom + s.r)) || free[0];
    if (!box) continue;
    taken.push(box);
    if (box.far) nodes.push(svg("line", { class: "leader", x1: r.x, y1: r.y, x2: (box.left + box.right) / 2, y2: (box.top + box.bottom) / 2 }));
    nodes.push(svg("text", { class: isAlert(r.a) ? "label alert" : "label", x: box.left, y: box.bottom - 3 }, text));
  }
  return nodes;
}

// places are where a label of w by h pixels may go, the best first.
function places(r, w, h) {
  const list = [];
  for (const away of [3, 14, 28]) {
    const d = r.r + away, s = d * 0.72;
    for (const [dx, dy] of [[d, -h / 2], [-d - w, -h / 2], [-w / 2, -d - h], [-w / 2, d], [s, -s - h], [s, s], [-s - w, -s - h], [-s - w, s]]) {
      list.push({ left: r.x + dx, right: r.x + dx + w, top: r.y + dy, bottom: r.y + dy + h, ring: away === 3 ? r : null, far: away > 3 });
    }
  }
  return list;
}

// nearest shows the conversation next to the pointer, an incident before others.
function nearest(event, picture, spots, rings) {
  const box = picture.getBoundingClientRect(), px = event.clientX - box.left, py = event.clientY - box.top;
  const distance = (s) => Math.hypot(s.x - px, s.y - py);
  const by = (a, b) => distance(a) - distance(b);
  const r = [...rings].sort(by)[0], s = [...spots].sort(by)[0];
  if (r && distance(r) <= r.r + 3) return showTooltip(event, ...incidentTip(r.a));
  if (!s || distance(s) > 22) return hideTooltip();
  const here = spots.filter((o) => Math.hypot(o.x - s.x, o.y - s.y) < 2).length - 1;
  showTooltip(event, ...pointTip(s.p, here));
}

function pointTip(p, others) {
  return [el("strong", null, pair(report.names[p[ORIG]], report.names[p[RESP]])),
    line("service", breakable(report.names[p[SERVICE]])),
    line("score", p[SCORE] === null ? "no model yet" : number(p[SCORE])),
    line("cluster", String(p[CLUSTER])),
    line("packets", `${count(p[OPKTS])} out, ${count(p[RPKTS])} in`),
    line("bytes", `${bytes(p[OBYTES])} out, ${bytes(p[RBYTES])} in`),
    others > 0 ? el("div", { class: "more" }, `and ${counted(others, "conversation")} at the same place`) : null];
}

function incidentTip(a) {
  return [el("strong", null, isAlert(a) ? "Alert" : "Not an alert", ` \u00b7 ${windowName(a.window)} to ${when(a.ts)}`),
    el("div", null, pair(a["id.orig_h"], a["id.resp_h"])),
    line("service", breakable(a.service)), line("score", number(a.score)),
    line("packets", `${count(a.orig_pkts)} out, ${count(a.resp_pkts)} in`),
    line("bytes", `${bytes(a.orig_bytes)} out, ${bytes(a.resp_bytes)} in`),
    isCut(a) ? el("div", { class: "more" }, "cut window") : null,
    a.msg ? el("div", { class: "msg" }, quote(a.msg)) : null];
}
