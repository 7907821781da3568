// Shows the cards that the filters choose, and the mean of their ratios for each peer.

const find = (id) => document.getElementById(id);
const children = (id) => [...(find(id)?.children ?? [])];
const all = { bars: children("bars"), shares: children("shares"), lines: children("lines") };

function make(tag, classes, ...content) {
  const element = document.createElement(tag);
  element.className = classes;
  element.append(...content);
  return element;
}

function show(id, fits, nothing) {
  const shown = all[id].filter(fits);
  find(id).replaceChildren(...(shown.length ? shown : [make("p", "empty", nothing)]));
  return shown;
}

/** 0.87, 1.4, 46, 312 */
function digits(value) {
  return value >= 10 ? value.toFixed(0) : value.toFixed(value < 2 ? 2 : 1);
}

function tile(peer, rows) {
  const logs = rows.filter((row) => row.dataset.peer === peer && row.dataset.ratio)
    .map((row) => Math.log(row.dataset.ratio));
  if (!logs.length) return [];
  const mean = Math.exp(logs.reduce((sum, value) => sum + value) / logs.length);
  const over = logs.length > 1 ? `, geometric mean of ${logs.length} workloads` : "";
  return [make("div", mean < 1 ? "tile behind" : "tile", `${peer} takes`,
    make("b", "", `${digits(mean)}×`), make("span", "", `as long as fastnn${over}`))];
}

function drawBeside() {
  const peers = [...find("peers").querySelectorAll("input:checked")].map((box) => box.value);
  const threads = find("threads").value, kind = find("kind").value;
  const fits = ({ dataset }) => dataset.threads === threads && (!kind || dataset.kind === kind);
  const rowsOf = (card) => [...card.querySelectorAll(".bar")];
  for (const row of all.bars.flatMap(rowsOf)) row.hidden = !peers.includes(row.dataset.peer);
  const cards = show("bars", (card) => fits(card) && rowsOf(card).some((row) => !row.hidden),
    "Nothing was measured that fits.");
  find("tiles").replaceChildren(...peers.flatMap((peer) => tile(peer, cards.flatMap(rowsOf))));
  find("limits").hidden = !show("shares", fits, "").length;
}

function drawTrend() {
  const group = find("group").value, named = find("named").value.trim().toLowerCase();
  show("lines", ({ dataset }) => (!group || dataset.group === group) && dataset.name.includes(named),
    "No benchmark is called so.");
}

for (const [form, draw] of [["filters", drawBeside], ["trend-filters", drawTrend]]) {
  if (!find(form)) continue;
  find(form).addEventListener("input", draw);
  find(form).addEventListener("submit", (event) => event.preventDefault());
  draw();
}
