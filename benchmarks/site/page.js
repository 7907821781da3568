// Draws the page from the data in it, again whenever a filter changes.

const data = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const unique = (values) => [...new Set(values)];
const EVERYTHING = "";

const chosenPeers = () => [...find("peers").querySelectorAll("input:checked")].map((i) => i.value);

function fits(row) {
  const kind = find("kind").value;
  return row.threads === Number(find("threads").value) && (!kind || row.kind === kind);
}

/** Of each peer, how much longer it takes over all that is shown. */
function drawTiles(cases, peers) {
  const tiles = peers.flatMap((peer) => {
    const ratios = cases.flatMap((c) => c.peers).filter((p) => p.peer === peer && p.middle);
    if (!ratios.length) return [];
    const mean = geometricMean(ratios.map((p) => p.middle));
    const over = ratios.length > 1 ? `, geometric mean of ${ratios.length} workloads` : "";
    return [make("div", mean < 1 ? "tile behind" : "tile", `${peer} takes`,
      make("b", "", `${digits(mean)}×`), make("span", "", `as long as fastnn${over}`))];
  });
  find("tiles").replaceChildren(...tiles);
}

/** Places on a logarithmic scale that holds 1 and all that is shown. */
function scaleOf(cases, peers) {
  const shown = cases.flatMap((c) => c.peers).filter((p) => p.middle && peers.includes(p.peer));
  const low = Math.log(Math.min(0.9, ...shown.map((p) => p.low)));
  const high = Math.log(Math.max(1.5, ...shown.map((p) => p.high)));
  return (ratio) => (Math.log(ratio) - low) / (high - low);
}

function peerBar(entry, scale) {
  if (!entry.middle) {
    const row = bar(entry.peer, [`not run: ${entry.missing}`], "–");
    row.classList.add("missing");
    row.title = entry.missing;
    return row;
  }
  const fill = piece(entry.middle < 1 ? "fill behind" : "fill", scale(1), scale(entry.middle));
  const one = piece("one", scale(1), scale(1));
  one.style.width = "";
  const spread = piece("spread", scale(entry.low), scale(entry.high));
  const row = bar(entry.peer, [fill, spread, one], `${digits(entry.middle)}×`);
  row.title = `${entry.peer}: ${entry.low.toFixed(2)} to ${entry.high.toFixed(2)} × fastnn's time`;
  return row;
}

/** What a case is in words: "train 8-32-32-2, 32" trains a network on batches of 32. */
function described(name) {
  return name.replace(/^train (.*), (\d+)$/, "Train $1, batches of $2")
    .replace(/^predict a row/, "Predict one row").replace(/^gemm/, "Matrix product")
    .replace(/^build$/, "Build and first step").replace(/^./, (letter) => letter.toUpperCase());
}

const PIECES = { training: "a step", elementwise: "an element" };

function drawBars(cases, peers) {
  const scale = scaleOf(cases, peers);
  const cards = cases.filter((c) => c.peers.some((p) => peers.includes(p.peer))).map((c) => {
    const each = PIECES[c.kind] ?? "";
    const rows = c.peers.filter((p) => peers.includes(p.peer)).map((p) => peerBar(p, scale));
    return make("article", "card", make("h3", "", described(c.name)),
      make("p", "", `fastnn: ${duration(c.seconds)} ${each}`), ...rows);
  });
  const nothing = make("p", "empty", "Nothing was measured that fits.");
  find("bars").replaceChildren(...(cards.length ? cards : [nothing]));
}

function drawShares() {
  const shares = data.shares.filter(fits);
  const rows = shares.map((s) => {
    const place = (value) => Math.min(value, 1);
    const pieces = [piece("fill", 0, place(s.middle)), piece("spread", place(s.low), place(s.high))];
    const limit = make("span", "limit", ` of ${s.limit}`);
    return bar(described(s.name).replace(/, batches.*/, ""), pieces, `${(100 * s.middle).toFixed(0)} %`, limit);
  });
  find("limits").hidden = !rows.length;
  find("shares").replaceChildren(...rows);
}

/** The last change of a series, in words and coloured if it is more than 5 %. */
function lastChange(known, more_is_better) {
  if (known.length < 2) return make("span", "change", "one commit so far");
  const [before, now] = known.slice(-2);
  const change = 100 * (now / before - 1);
  const verdict = Math.abs(change) < 5 ? "" : (change > 0) === more_is_better ? "better" : "worse";
  const sign = change > 0 ? "+" : change < 0 ? "−" : "±";
  const text = `${sign}${Math.abs(change).toFixed(1)} % since the commit before`;
  return make("span", `change ${verdict}`, text);
}

/** "networks.FitDigits.time_call" is FitDigits of the networks; asv's pages have the whole name. */
function shortened(name) {
  const parts = name.split(".");
  return parts.slice(0, Math.max(2, parts.length - 1)).join(": ");
}

function trendCard(series) {
  const known = series.relative.filter((value) => value !== null);
  const low = Math.min(0.9, ...known), high = Math.max(1.1, ...known);
  const label = `${series.name}: ${known.map((v) => v.toFixed(2)).join(", ")}`;
  const over = series.parameters > 1 ? `, mean of ${series.parameters}` : "";
  return make("article", "card", make("h3", "", shortened(series.name)),
    make("p", "", `${quantity(series.last, series.unit)}${over} · `,
      lastChange(known, series.more_is_better)),
    sparkline(series.relative, low, high, label));
}

function drawTrend() {
  const group = find("group").value, named = find("named").value.trim().toLowerCase();
  const cards = data.series
    .filter((s) => (!group || s.group === group) && s.name.toLowerCase().includes(named))
    .map(trendCard);
  const nothing = make("p", "empty", "No benchmark is called so.");
  find("lines").replaceChildren(...(cards.length ? cards : [nothing]));
}

function drawBeside() {
  const cases = data.cases.filter(fits), peers = chosenPeers();
  drawTiles(cases, peers);
  drawBars(cases, peers);
  drawShares();
}

function peerBoxes() {
  const peers = unique(data.cases.flatMap((c) => c.peers.map((p) => p.peer)));
  return peers.filter((peer) => data.cases.some((c) => c.kind === "training"
    ? c.peers.some((p) => p.peer === peer) : c.peers.some((p) => p.peer === peer && p.middle)))
    .map((peer) => {
      const box = make("input");
      Object.assign(box, { type: "checkbox", value: peer, checked: true });
      return make("label", "", box, ` ${peer}`);
    });
}

function start() {
  const { machine, date, versions } = data.about;
  if (data.cases.length) {
    const others = Object.entries(versions).filter(([peer]) => peer !== "machine");
    find("about").append("Others do the same work with the same result, in turn with fastnn: above 1×, fastnn is "
      + `faster. ${machine.processor}, ${machine.cores} cores, ${date}.`);
    find("footer").textContent = others.map(([peer, version]) => `${peer} ${version}`).join(" · ");
    offer(find("threads"), unique(data.cases.map((c) => c.threads)).sort().map((n) => [n, n]));
    const kinds = unique(data.cases.map((c) => c.kind));
    offer(find("kind"), [...kinds.map((kind) => [kind, kind]), [EVERYTHING, "everything"]]);
    find("peers").append(...peerBoxes());
    find("filters").addEventListener("input", drawBeside);
    find("beside").hidden = false;
    drawBeside();
  }
  if (data.series.length) {
    const groups = unique(data.series.map((s) => s.group));
    offer(find("group"), [...groups.map((group) => [group, group]), [EVERYTHING, "everything"]]);
    if (groups.includes("networks")) find("group").value = "networks";
    if (data.asv_site) {
      const link = make("a", "", "Every size and machine");
      link.href = "asv/index.html";
      find("details").append(link, ` is on asv's own pages.`);
    }
    find("trend-filters").addEventListener("input", drawTrend);
    find("trend-filters").addEventListener("submit", (event) => event.preventDefault());
    find("trend").hidden = false;
    drawTrend();
  }
}

start();
