// The head of the page: is all well, and how much is done.

const head = { state: null, title: null, sub: null, tiles: null, wrong: null, waits: null };

// seconds is a time of the daemon's without its zone, which is UTC, and what is below a second.
function seconds(time) { return time.slice(0, 19).replace("T", " "); }

// waits is how many files are not wholly read.
function waits(n) { return n.settling + n.held + n.admitted + n.unreadable; }

function headSection() {
  head.state = el("span", { class: "state", role: "status" });
  head.title = el("h1");
  head.sub = el("p", { class: "sub" });
  head.tiles = el("div");
  head.wrong = el("div");
  head.waits = el("div");
  return el("header", null, el("p", { class: "brand" }, "pcapdird ", head.state), head.title, head.sub, head.wrong, head.waits, head.tiles);
}

// stateOf is a word for all, and how grave it is.
function stateOf(n) {
  if (n.ailments.length > 0) return [counted(n.ailments.length, "problem"), "bad"];
  if (n.paused) return ["paused", "warn"];
  if (n.catching_up) return ["catching up", "good"];
  return ["all is well", "good"];
}

function upToNothing(n) {
  if (n.packets === 0) return "No packet yet";
  return n.books.CatchUp.Read.Packets ? "Nothing but what was caught up on" : "Nothing is logged yet";
}

function drawHead(n) {
  const [word, kind] = stateOf(n);
  head.state.textContent = word;
  head.state.className = "state " + kind;
  head.title.textContent = n.logged_up_to ? `Logged up to ${seconds(n.logged_up_to)}` : upToNothing(n);
  head.sub.replaceChildren(`event time, UTC \u00b7 version ${visible(n.version)} \u00b7 pid ${n.pid}, since ${seconds(n.since)}`);
  head.wrong.replaceChildren(n.ailments.length === 0 ? "" : el("ul", { class: "notice warn", "aria-label": "What is wrong" }, n.ailments.map((text) => el("li", null, quote(text)))));
  head.waits.replaceChildren(!n.waits_for ? "" : el("ul", { class: "notice", "aria-label": "What is waited for" }, n.waits_for.map((dir) =>
    el("li", null, "Waits for ", address(dir), ": what may still come from there belongs before the rest. pcapdird seal does not wait."))));
  head.tiles.replaceChildren(tiles(n));
  document.title = (n.ailments.length ? "! " : "") + "pcapdird, " + word;
}

function tiles(n) {
  const last = samples[samples.length - 1], waiting = waits(n);
  const lag = last ? last.lag : null;
  return el("dl", { class: "tiles" },
    tile("Packets", last ? rate("packets") : "\u2013", `${short(n.packets)} since the start` + (n.lost ? `, ${short(n.lost)} without a connection` : "")),
    tile("Lag", lag === null ? "\u2013" : span(Math.max(0, lag)), "of the logs behind the wall clock"),
    tile("Files waiting", count(waiting), waiting ? `the oldest for ${span(n.oldest)}` : `${count(n.done)} done` + (n.failed ? `, ${count(n.failed)} failed` : "")),
    tile("Connections open", short(n.active_conns), `${short(n.conns)} ended`),
    tile("Alerts", report.all_alerts === undefined ? "\u2013" : count(alerts.length), alerts.length ? `the last at ${when(alerts[alerts.length - 1].ts)}` : "none in the newest reports", alerts.length ? "alert" : ""),
    tile("Memory", bytes(n.memory), last && samples.length > 1 ? `${percent(perSecond("cpu", samples.length - 1))} of a core` : ""));
}

function rate(what) { return samples.length > 1 ? short(perSecond(what, samples.length - 1)) + "/s" : "\u2013"; }
