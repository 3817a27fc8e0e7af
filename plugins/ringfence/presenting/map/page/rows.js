// The page's data, and the sums of it between the groups of a view.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SIGNS = DATA.signs.length;
const CODES = SIGNS * DATA.states.length;
const NOTHING = SIGNS - 1;
const FINEST = DATA.levels.length;

function sums(steps) {
  const found = new Int32Array(steps.length);
  let sum = 0;
  for (let i = 0; i < steps.length; i++) found[i] = sum += steps[i];
  return found;
}

const unpacked = new Map();

// The columns of a time, with the edge of each row and the row of each count.
function timeOf(number) {
  if (!unpacked.has(number)) {
    const time = DATA.times[number];
    unpacked.set(number, { ...time, edgeOf: sums(time.rows.edge), rowOf: sums(time.counts.row) });
  }
  return unpacked.get(number);
}

// Which rows and edges have every word of the filter in a name of their ends, or in their service; null for all.
function passing(time, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  const names = DATA.levels.map((level) => level.names.map((name) => name.toLowerCase()));
  const rows = new Uint8Array(time.rows.edge.length).fill(1);
  const edges = new Uint8Array(time.edges.client.length).fill(1);
  for (const word of words) {
    const matched = names.map((one) => one.map((name) => name.includes(word)));
    const group = DATA.levels[FINEST - 1].of.map((_, i) => DATA.levels.some((one, l) => matched[l][one.of[i]]));
    const service = DATA.services.map((name) => name === word || name.endsWith("/" + word));
    const ends = Array.from(edges, (_, i) => group[time.edges.client[i]] || group[time.edges.server[i]]);
    for (let i = 0; i < rows.length; i++) {
      if (!ends[time.edgeOf[i]] && !service[time.rows.service[i]]) rows[i] = 0;
    }
    for (let i = 0; i < edges.length; i++) if (!ends[i]) edges[i] = 0;
  }
  return { rows, edges };
}

// The edges between the groups of a view (`of`: group of the data to group of the view, -1 for none), with their sums.
function edgesBetween(time, of, pass) {
  const { client, server, refused, attempts } = time.edges;
  const count = 1 + of.reduce((most, one) => Math.max(most, one), 0);
  const known = new Map();
  const edges = [];
  const at = new Int32Array(client.length);
  for (let i = 0; i < client.length; i++) {
    const from = of[client[i]], to = of[server[i]];
    if (from < 0 || to < 0) { at[i] = -1; continue; }
    const key = from * count + to;
    let place = known.get(key);
    if (place === undefined) {
      known.set(key, place = edges.length);
      edges.push({ client: from, server: to, refused: 0, attempts: 0 });
    }
    at[i] = place;
    if (!pass || pass.edges[i]) {
      edges[place].refused += refused[i];
      edges[place].attempts += attempts[i];
    }
  }
  const flows = new Float64Array(edges.length * CODES), connections = new Float64Array(edges.length * CODES);
  const { row, code, flows: f, connections: c } = time.counts;
  for (let i = 0; i < row.length; i++) {
    const of_row = time.rowOf[i], place = at[time.edgeOf[of_row]];
    if (place < 0 || (pass && !pass.rows[of_row])) continue;
    flows[place * CODES + code[i]] += f[i];
    connections[place * CODES + code[i]] += c[i];
  }
  edges.forEach((edge, place) => {
    edge.flows = flows.subarray(place * CODES, (place + 1) * CODES);
    edge.connections = connections.subarray(place * CODES, (place + 1) * CODES);
  });
  return { edges: edges.filter((edge) => edge.refused || edge.flows.some((one) => one)), at };
}

function worst(edge, state) {
  for (let sign = 0; sign < SIGNS; sign++) if (edge.flows[state * SIGNS + sign]) return sign;
  return NOTHING;
}

function mixed(edge, state) {
  let found = 0;
  for (let sign = 0; sign < SIGNS; sign++) if (edge.flows[state * SIGNS + sign]) found++;
  return found > 1;
}

function total(column, state) {
  let sum = 0;
  for (let sign = 0; sign < SIGNS; sign++) sum += column[state * SIGNS + sign];
  return sum;
}

function busyness(edge, state) {
  return total(edge.connections, state) || edge.attempts;
}

// Whether two policies say something different of an edge.
function differs(edge, one, other) {
  for (let sign = 0; sign < SIGNS; sign++) {
    const a = one * SIGNS + sign, b = other * SIGNS + sign;
    if (edge.flows[a] !== edge.flows[b] || edge.connections[a] !== edge.connections[b]) return true;
  }
  return false;
}

function digit(connections) {
  return connections > 0 ? Math.min(String(connections).length, 9) : 0;
}

// Edges by their worst sign, the busiest first: the order in which they are drawn while there is room.
function ranked(edges, state) {
  const rank = edges.map((edge) => [worst(edge, state), -busyness(edge, state), edge.client, edge.server, edge]);
  rank.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3]);
  return rank.map((one) => one[4]);
}

function number(value) {
  return value.toLocaleString("en-US");
}

function counted(value, one) {
  return `${number(value)} ${one}${value === 1 ? "" : "s"}`;
}
