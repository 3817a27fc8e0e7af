// What is behind an edge or a group, in text.

const SHOWN = 200, FINER = 20;

function signWords(column, state) {
  return DATA.signs.flatMap(([sign, word], i) => column[state * SIGNS + i] ? [`${sign} ${word} ${number(column[state * SIGNS + i])}`] : []).join(", ");
}

function seen(time, seconds) {
  if (seconds < 0) return "";
  const moment = time.base ? time.base - seconds : seconds;
  return new Date(moment * 1000).toISOString().replace(".000Z", "Z");
}

// The services of an edge under a policy, a row for each sign, the most connections first.
function serviceRows(time, at, place, pass, state) {
  const found = new Map();
  for (let i = 0; i < time.counts.row.length; i++) {
    const row = time.rowOf[i], sign = time.counts.code[i] - state * SIGNS;
    if (at[time.edgeOf[row]] !== place || sign < 0 || sign >= SIGNS || (pass && !pass.rows[row])) continue;
    const key = time.rows.service[row] * SIGNS + sign;
    const one = found.get(key) || { service: DATA.services[time.rows.service[row]], sign, flows: 0, connections: 0, last: -1 };
    one.flows += time.counts.flows[i];
    one.connections += time.counts.connections[i];
    const last = time.rows.last[row];
    if (last >= 0) one.last = one.last < 0 ? last : (time.base ? Math.min(one.last, last) : Math.max(one.last, last));
    found.set(key, one);
  }
  return [...found.values()].sort((a, b) => b.connections - a.connections || a.sign - b.sign || (a.service < b.service ? -1 : 1));
}

function flowTable(time, rows) {
  const table = element("table", { class: "flows" }), head = element("tr");
  for (const name of ["service", "verdict", "flows", "connections", "seen last"]) {
    head.append(element("th", name === "flows" || name === "connections" ? { scope: "col", class: "number" } : { scope: "col" }, name));
  }
  table.append(element("thead"));
  table.tHead.append(head);
  const body = element("tbody");
  for (const one of rows.slice(0, SHOWN)) {
    const row = element("tr", { "data-service": one.service });
    row.append(element("td", {}, one.service),
      element("td", { class: "s" + one.sign }, `${DATA.signs[one.sign][0]} ${DATA.signs[one.sign][1]}`),
      element("td", { class: "number" }, number(one.flows)), element("td", { class: "number" }, number(one.connections)),
      element("td", {}, seen(time, one.last)));
    body.append(row);
  }
  table.append(body);
  return table;
}

// The ends behind an edge, one level after the other down to the finest that the page carries.
function finerEnds(time, at, place) {
  const { names } = DATA.levels[FINEST - 1], found = [];
  let more = 0;
  for (let i = 0; i < at.length; i++) {
    if (at[i] !== place) continue;
    if (time.busiest) {
      found.push(...time.busiest[i][0]);
      more += time.busiest[i][1];
    } else found.push([names[time.edges.client[i]], names[time.edges.server[i]], edgeFlows(time)[i]]);
  }
  found.sort((a, b) => b[2] - a[2]);
  return [found.slice(0, FINER), more + Math.max(0, found.length - FINER)];
}

// How many flows each edge of the data has: judged under the policy that says most, and refused ones.
function edgeFlows(time) {
  if (time.every) return time.every;
  const sum = new Float64Array(time.edges.client.length * DATA.states.length);
  time.counts.row.forEach((_, i) => {
    sum[time.edgeOf[time.rowOf[i]] * DATA.states.length + Math.floor(time.counts.code[i] / SIGNS)] += time.counts.flows[i];
  });
  time.every = time.edges.refused.map((refused, i) => refused + Math.max(...DATA.states.map((_, s) => sum[i * DATA.states.length + s])));
  return time.every;
}

function showEdge(now, edge, names, of) {
  const { time, state, pass } = now, panel = document.getElementById("details"), parts = [];
  parts.push(element("h2", {}, `${names[edge.client]} → ${names[edge.server]}`));
  DATA.states.forEach(([name], i) => parts.push(element("div", { "data-state": name }, `${name}: ${signWords(edge.flows, i) || "nothing judged"}`)));
  if (edge.refused) parts.push(element("div", { "data-refused": edge.refused }, `refused when they were seen: ${counted(edge.refused, "flow")}, ${counted(edge.attempts, "attempt")}`));
  const at = new Int32Array(time.edges.client.length);
  for (let i = 0; i < at.length; i++) at[i] = of[time.edges.client[i]] === edge.client && of[time.edges.server[i]] === edge.server ? 0 : -1;
  const rows = serviceRows(time, at, 0, pass, state);
  if (rows.length) parts.push(element("h3", {}, `Services under ${DATA.states[state][0]}`), flowTable(time, rows));
  if (rows.length > SHOWN) parts.push(element("div", {}, `and ${number(rows.length - SHOWN)} more`));
  const [ends, more] = finerEnds(time, at, 0);
  if (ends.length > 1 || more) {
    const list = element("ul");
    for (const [client, server, flows] of ends) list.append(element("li", {}, `${client} → ${server}: ${counted(flows, "flow")}`));
    if (more) list.append(element("li", {}, `and ${number(more)} more`));
    parts.push(element("h3", {}, `Between ${[...DATA.keys, ...DATA.left].at(-1)}s`), list);
  }
  panel.replaceChildren(...parts);
}

// All that is shown, sign by sign.
function showTotals(now, edges) {
  const list = element("ul"), sum = new Float64Array(CODES);
  let refused = 0;
  for (const edge of edges) {
    edge.flows.forEach((flows, code) => { sum[code] += flows; });
    refused += edge.refused;
  }
  DATA.signs.forEach(([sign, , words], i) => {
    const flows = i === NOTHING ? refused : sum[now.state * SIGNS + i];
    if (!flows) return;
    const item = element("li", {}, i === NOTHING ? " refused when they were seen" : ` ${words}`);
    item.prepend(element("span", { class: "s" + i }, i === NOTHING ? "r" : sign));
    item.append(`: ${counted(flows, "flow")}`);
    list.append(item);
  });
  document.getElementById("details").replaceChildren(element("h2", {}, `Under ${DATA.states[now.state]?.[0] ?? "nothing"}`), list);
}

// A group: how it can be opened, who talks to it, whom it talks to.
function showGroup(now, view, place, edges, open, chosen) {
  const node = view.nodes[place], panel = document.getElementById("details"), parts = [];
  parts.push(element("h2", {}, view.names[place]));
  if (view.assets[place]) parts.push(element("div", {}, counted(view.assets[place], "asset")));
  if (open) {
    const button = element("button", { type: "button", id: "open" }, node.depth < FINEST ? `Open by ${DATA.keys[node.depth]} (o)` : "Its neighbours (o)");
    button.addEventListener("click", open);
    parts.push(button);
  }
  for (const [title, own, other] of [["Clients", "server", "client"], ["Servers", "client", "server"]]) {
    const list = element("ul"), of = edges.filter((edge) => edge[own] === place);
    for (const edge of of.slice(0, SHOWN)) list.append(edgeItem(now, edge, view.names[edge[other]], chosen));
    if (of.length > SHOWN) list.append(element("li", {}, `and ${number(of.length - SHOWN)} more`));
    if (of.length) parts.push(element("h3", {}, `${title}: ${number(of.length)}`), list);
  }
  panel.replaceChildren(...parts);
}

function edgeItem(now, edge, name, chosen) {
  const item = element("li"), sign = worst(edge, now.state);
  const flows = total(edge.flows, now.state);
  const button = element("button", { type: "button" }, `${name}: ${flows ? counted(flows, "flow") : counted(edge.refused, "refused flow")}`);
  button.prepend(element("span", { class: "s" + sign }, (sign === NOTHING ? "r" : DATA.signs[sign][0]) + " "));
  button.addEventListener("click", () => chosen(edge));
  item.append(button);
  return item;
}

// The edges that found no room in the picture, under the group that they come from.
function showListed(now, view, edges, chosen) {
  const panel = document.getElementById("listed"), groups = new Map();
  for (const edge of edges) groups.has(edge.client) ? groups.get(edge.client).push(edge) : groups.set(edge.client, [edge]);
  panel.replaceChildren();
  if (!edges.length) return;
  const sum = (of) => of.reduce((flows, edge) => flows + total(edge.flows, now.state), 0);
  panel.append(element("h3", {}, `Not drawn: ${counted(edges.length, "edge")} with ${counted(sum(edges), "flow")}`));
  for (const [client, of] of groups) {
    const one = element("details");
    one.append(element("summary", {}, `${view.names[client]}: ${counted(of.length, "edge")}, ${counted(sum(of), "flow")}`));
    one.addEventListener("toggle", () => {
      if (!one.open || one.querySelector("ul")) return;
      const list = element("ul");
      for (const edge of of.slice(0, SHOWN)) list.append(edgeItem(now, edge, view.names[edge.server], chosen));
      if (of.length > SHOWN) list.append(element("li", {}, `and ${number(of.length - SHOWN)} more`));
      one.append(list);
    });
    panel.append(one);
  }
}
