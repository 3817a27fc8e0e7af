// What is chosen, and what follows from it.

const by = (id) => document.getElementById(id);
const chosen = { state: DATA.state, depth: DATA.depth, time: 0, filter: "", changes: false,
  signs: new Set(DATA.signs.keys()), path: [], subject: null };
const HELD = DATA.states.findIndex(([name]) => name === "held");
let shown = null; // the view with its edges, in their order

function inWords(time) {
  return time.since ? (time.until ? `${time.since} to ${time.until}` : `since ${time.since}`) : "all flows";
}

function kept(edges) {
  return edges.filter((edge) => {
    if (chosen.changes && !DATA.states.some((_, other) => differs(edge, chosen.state, other))) return false;
    if (chosen.signs.size === SIGNS) return true;
    if (chosen.signs.has(NOTHING) && edge.refused) return true;
    return [...chosen.signs].some((sign) => edge.flows[chosen.state * SIGNS + sign]);
  });
}

// The opened groups, one in the other, above the picture.
function showPath() {
  const all = element("button", { type: "button", id: "back" }, "All groups (esc)");
  const parts = [all, ...chosen.path.flatMap((one) => [
    document.createTextNode(" › "), element("button", { type: "button" }, DATA.levels[one.depth - 1].names[one.group])])];
  parts.filter((one) => one.tagName).forEach((button, i) => button.addEventListener("click", () => {
    chosen.path.length = i;
    chosen.subject = null;
    render(true);
  }));
  by("crumbs").hidden = !chosen.path.length;
  by("crumbs").replaceChildren(...parts);
  cy.resize();
}

function render(fit) {
  const time = timeOf(chosen.time), pass = passing(time, chosen.filter), now = { time, pass, state: chosen.state };
  const inside = chosen.path.at(-1);
  let view = inside ? insideView(inside.depth, inside.group) : levelView(chosen.depth);
  let edges = kept(edgesBetween(time, view.of, pass).edges);
  if (inside) {
    edges = edges.filter((edge) => view.inner[edge.client] || view.inner[edge.server]);
    view = placed(view, edges);
  }
  edges = ranked(edges, chosen.state);
  shown = { view, edges, now };
  showPath();
  const drawn = draw(view, edges, chosen.state, fit);
  const flows = edges.reduce((sum, edge) => sum + total(edge.flows, chosen.state), 0);
  by("told").textContent = `${DATA.states[chosen.state]?.join(": ") ?? ""} · ${inWords(time)} · ${counted(flows, "flow")}, `
    + `${counted(edges.length, "edge")}` + (drawn < edges.length ? `, the worst and busiest ${number(drawn)} drawn` : "")
    + (DATA.left.length ? ` · by ${DATA.left.join(", ")} only the busiest of each edge` : "");
  beside();
}

// What stands beside the picture comes when that is seen.
let waiting = 0;
function beside() {
  const turn = ++waiting;
  cy.one("render", () => setTimeout(() => {
    if (turn !== waiting) return;
    const { view, edges, now } = shown, depth = matrixDepth(chosen.depth);
    const same = view.inner || depth === view.depth, table = same ? view : levelView(depth);
    const cells = same ? edges : kept(edgesBetween(now.time, table.of, now.pass).edges);
    const title = view.inner ? "Inside" : `By ${DATA.keys.slice(0, depth).join(" > ")}`;
    showMatrix(title, matrixOf(table, cells), chosen.state, HELD, (edge) => {
      chosen.subject = null;
      if (same) openEdge(edge);
      else showEdge(now, edge, table.names, table.of);
    });
    showListed(now, view, edges.slice(DATA.drawn.edges), openEdge);
    again();
    document.documentElement.dataset.ready = String(Number(document.documentElement.dataset.ready || 0) + 1);
  }, 0));
}

// Show again what was chosen before, where it still is.
function again() {
  const subject = chosen.subject, { view, edges } = shown;
  if (!subject) { nothingChosen(); return; }
  const place = (name) => view.names.indexOf(name);
  if (subject.length === 1 && place(subject[0]) >= 0) openGroup(place(subject[0]));
  const edge = edges.find((one) => view.names[one.client] === subject[0] && view.names[one.server] === subject[1]);
  if (edge) openEdge(edge);
  else if (subject.length === 2) by("details").replaceChildren(element("div", {}, `${subject.join(" → ")}: nothing here`));
}

function nothingChosen() {
  chosen.subject = null;
  choose(null);
  showTotals(shown.now, shown.edges);
}

function openEdge(edge) {
  const { view, edges, now } = shown;
  chosen.subject = [view.names[edge.client], view.names[edge.server]];
  choose("e" + edges.indexOf(edge));
  showEdge(now, edge, view.names, view.of);
}

function openGroup(place) {
  const { view, edges, now } = shown, node = view.nodes[place];
  chosen.subject = [view.names[place]];
  choose("n" + place);
  const last = chosen.path.at(-1);
  const open = last && last.depth === node.depth && last.group === node.group ? null : () => {
    chosen.path.push({ depth: node.depth, group: node.group });
    chosen.subject = null;
    render(true);
  };
  showGroup(now, view, place, edges, open, openEdge);
}

cy.on("tap", "edge", (event) => openEdge(shown.edges[event.target.data("place")]));
cy.on("tap", "node.group", (event) => openGroup(event.target.data("place")));
cy.on("tap", (event) => { if (event.target === cy) nothingChosen(); });

function choice(type, name, text, title, checked, onChange) {
  const label = element("label", { title }), input = element("input", { type, name });
  input.checked = checked;
  input.addEventListener("change", () => onChange(input.checked));
  label.append(input, text);
  return label;
}

DATA.states.forEach(([name, words], i) => by("states").append(
  choice("radio", "state", name, words, i === chosen.state, () => { chosen.state = i; render(false); })));
DATA.signs.forEach(([sign, word, words], i) => {
  const label = choice("checkbox", "sign", i === NOTHING ? "r refused" : `${sign} ${word}`, words, true, (on) => {
    on ? chosen.signs.add(i) : chosen.signs.delete(i);
    render(false);
  });
  label.className = "s" + i;
  by("signs").append(label);
});
for (let depth = 1; depth <= DATA.placed; depth++) {
  by("level").append(element("option", { value: String(depth) }, DATA.keys.slice(0, depth).join(" > ") || "all"));
}
by("level").value = String(chosen.depth);
by("level").addEventListener("change", () => level(Number(by("level").value)));
by("changes-of").hidden = DATA.states.length < 2;
by("changes").addEventListener("change", () => { chosen.changes = by("changes").checked; render(false); });
by("time-of").hidden = DATA.times.length < 2;
by("time").max = String(DATA.times.length - 1);
by("time").addEventListener("input", () => step(Number(by("time").value)));
by("filter").addEventListener("input", () => { chosen.filter = by("filter").value; render(false); });
by("png").addEventListener("click", savePng);

function level(depth) {
  if (depth < 1 || depth > DATA.placed) return;
  Object.assign(chosen, { depth, path: [], subject: null });
  by("level").value = String(depth);
  render(true);
}

function step(time) {
  if (time < 0 || time >= DATA.times.length) return;
  chosen.time = time;
  by("time").value = String(time);
  by("span").textContent = time ? inWords(DATA.times[time]) : "all";
  render(false);
}

function back() {
  if (chosen.subject) nothingChosen();
  else if (chosen.path.length) { chosen.path.pop(); render(true); }
}

const KEYS = {
  "/": () => by("filter").focus(), m: () => by("matrix").querySelector("td[tabindex='0']")?.focus(),
  c: () => by("states").querySelectorAll("input")[(chosen.state + 1) % DATA.states.length]?.click(),
  "+": () => level(chosen.depth + 1), "-": () => level(chosen.depth - 1),
  "[": () => step(chosen.time - 1), "]": () => step(chosen.time + 1), o: () => by("open")?.click(), p: savePng, 0: fitted, Escape: back,
};
const PANS = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
by("picture").addEventListener("keydown", (event) => {
  const pan = PANS[event.key];
  if (!pan) return;
  cy.panBy({ x: pan[0], y: pan[1] });
  event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const typing = event.target.matches?.("input[type=search]");
  if (typing && event.key === "Escape") { event.target.blur(); return; }
  if (typing || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

cy.one("render", () => { document.documentElement.dataset.drawn = performance.now().toFixed(1); });
step(0);
fitted();
