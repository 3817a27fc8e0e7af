// Views: the groups of a level at the places that the data gives, or one group opened between those that it talks with.

const levelViews = new Map();

function levelView(depth) {
  if (!levelViews.has(depth)) {
    const level = DATA.levels[depth - 1];
    levelViews.set(depth, {
      depth, of: level.of, names: level.names, short: level.short, assets: level.assets, places: level.places,
      frames: level.frames, inner: null,
      nodes: level.names.map((_, i) => ({ depth, group: i })),
    });
  }
  return levelViews.get(depth);
}

function shortened(name) {
  const letters = Array.from(name);
  return letters.length <= 20 ? name : letters.slice(0, 19).join("") + "…";
}

// A group's members one level finer, and all other groups at its own level; places are given when its edges are known.
function insideView(depth, group) {
  const outer = DATA.levels[depth - 1], finer = DATA.levels[Math.min(depth, FINEST - 1)];
  const of = new Int32Array(outer.of.length), known = new Map(), nodes = [], names = [], assets = [];
  for (let i = 0; i < of.length; i++) {
    const inside = outer.of[i] === group;
    const key = inside ? finer.of[i] : -1 - outer.of[i];
    if (!known.has(key)) {
      known.set(key, nodes.length);
      const [level, at] = inside ? [finer, finer.of[i]] : [outer, outer.of[i]];
      nodes.push({ depth: inside ? Math.min(depth + 1, FINEST) : depth, group: at, inside });
      names.push(level.names[at]);
      assets.push(level.assets[at]);
    }
    of[i] = known.get(key);
  }
  return { depth, of, names, assets, nodes, short: names.map(shortened), places: null, frames: [], inner: nodes.map((one) => one.inside) };
}

// Three columns: who talks to the members, the members, whom they talk to; the names' order from top to bottom.
function placed(view, edges) {
  const balance = new Float64Array(view.names.length);
  for (const edge of edges) {
    const weight = 1 + edge.attempts + edge.connections.reduce((sum, one) => sum + one, 0);
    if (!view.inner[edge.client]) balance[edge.client] += weight;
    if (!view.inner[edge.server]) balance[edge.server] -= weight;
  }
  const columns = [[], [], []];
  view.names.forEach((_, i) => {
    if (view.inner[i]) columns[1].push(i);
    else if (balance[i]) columns[balance[i] > 0 ? 0 : 2].push(i);
  });
  const places = view.names.map(() => null), stepX = DATA.box[0] + 30, stepY = DATA.box[1] + 46;
  let x = 0;
  columns.forEach((column, side) => {
    const stagger = side === 1 && column.length > 1 ? 80 : 0; // members in one line would hide what they say to each other
    const rows = Math.max(6, Math.ceil(Math.sqrt(column.length * 2)));
    const wide = Math.max(1, Math.ceil(column.length / rows)), high = Math.min(column.length, rows);
    column.forEach((node, i) => {
      places[node] = [x + Math.floor(i / rows) * stepX + (i % 2) * stagger, ((i % rows) - (high - 1) / 2) * stepY];
    });
    x += wide * stepX + stagger + 190;
  });
  return { ...view, places };
}
