// Files that wait and files that are done, shards, and conversations.

const lists = { files: null, put: null, shards: null, pairs: null };
let shardsBefore = null; // packets of each at the answer before

function spoolSection() {
  lists.files = el("div");
  lists.put = el("div");
  return el("section", { "aria-labelledby": "spool-title" }, el("h2", { id: "spool-title" }, "Spool"), lists.files, lists.put);
}

function shardSection() {
  lists.shards = el("div");
  return el("section", { "aria-labelledby": "shards-title" }, el("h2", { id: "shards-title" }, "Shards"), lists.shards);
}

function pairSection() {
  lists.pairs = el("div");
  return el("section", { "aria-labelledby": "pairs-title" }, el("h2", { id: "pairs-title" }, "Conversations with the most bytes"), lists.pairs);
}

// rows is a table whose rows become cards on a phone: columns are a name and a class.
function rows(columns, body) {
  return el("table", { class: "cards" }, el("thead", null, el("tr", null, columns.map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))),
    el("tbody", null, body.map((cells) => el("tr", null, cells.map((cell, i) =>
      i === 0 ? el("th", { scope: "row" }, cell) : el("td", { "data-name": columns[i][0], class: columns[i][1] }, cell))))));
}

function fileName(path) { return el("span", { title: visible(path) }, address(path.slice(path.lastIndexOf("/") + 1))); }

function drawSpool(n) {
  const waiting = waits(n);
  lists.files.replaceChildren(
    el("p", { class: "caption" }, waiting === 0 ? "No file waits." :
      `${counted(waiting, "file")}: ${count(n.admitted)} admitted, of them ${count(n.open)} open; ${count(n.held)} held back, ${count(n.settling)} not settled, ${count(n.unreadable)} unreadable.`,
      n.kept ? ` ${counted(n.kept, "file")} that ${n.kept === 1 ? "was" : "were"} read stay${n.kept === 1 ? "s" : ""} where ${n.kept === 1 ? "it is" : "they are"}.` : ""),
    n.files.length === 0 ? "" : rows([["File"], ["Stage"], ["Read"], ["Size", "num"], ["Waits for", "num"]], n.files.map((f) => [
      fileName(f.file), f.stage, [bar(f.size ? f.read / f.size : 0), " ", f.size ? percent(f.read / f.size) : ""], bytes(f.size), span(f.seconds)])),
    n.files.length < waiting ? el("p", { class: "caption" }, `and ${count(waiting - n.files.length)} more.`) : "");
  lists.put.replaceChildren(n.put.length === 0 ? "" : el("div", null, el("h3", { class: "below" }, "Put away last"),
    rows([["File"], ["When"], ["Outcome"], ["Packets", "num"], ["From", "unbroken"], ["Why", "wide"]], [...n.put].reverse().map((l) => [
      fileName(l.file), clock(l.ts), el("span", { class: l.outcome === "failed" ? "failed" : "" }, visible(l.outcome)), count(l.packets),
      l.first_ts === undefined ? "" : period(l.first_ts, l.last_ts), l.reason ? quote(l.reason) : ""]))));
}

function drawShards(n) {
  const all = n.shards.map((s) => s.packets);
  const since = shardsBefore && shardsBefore.length === all.length ? all.map((p, i) => Math.max(0, p - shardsBefore[i])) : all;
  const moved = since.reduce((a, b) => a + b, 0) > 0;
  const load = moved ? since : all;
  if (moved) shardsBefore = all;
  const sum = load.reduce((a, b) => a + b, 0), most = Math.max(...load, 1);
  lists.shards.replaceChildren(
    el("ol", { class: "shards" }, n.shards.map((s, i) => el("li", { title: `shard ${i}: ${count(s.packets)} packets, ${counted(s.conns, "connection")} open, ${counted(s.pairs, "conversation")} in the open pane` },
      el("span", { class: "shard-name" }, String(i)), bar(load[i] / most), el("span", { class: "num" }, sum ? percent(load[i] / sum) : "\u2013"),
      el("span", { class: "num faint-text" }, `${short(s.conns)} open`)))),
    el("p", { class: "caption" }, "Share of the packets that came last, and connections that are open.",
      sum ? ` The busiest has ${(most * load.length / sum).toFixed(2)} times the mean.` : ""));
}

function drawPairs(a) {
  lists.pairs.replaceChildren(
    el("p", { class: "caption" }, a.pane ? `Of ${period(a.pane - a.length, a.pane)}, event time.` : a.length ? "Nothing was reported yet: a report comes at the end of each pane (vectors.pane)." : "There are no vectors, and no reports: vectors.windows is empty."),
    a.pairs.length === 0 ? "" : rows([["Who"], ["Service"], ["Bytes out / in", "num"], ["Packets out / in", "num"]], a.pairs.map((p) => [
      pair(p.orig, p.resp), breakable(p.service), `${bytes(p.orig_bytes)} / ${bytes(p.resp_bytes)}`, `${short(p.orig_pkts)} / ${short(p.resp_pkts)}`])));
}
