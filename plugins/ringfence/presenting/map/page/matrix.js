// The matrix beside the picture: rows talk to columns; the same numbered groups both ways.

const MATRIX = 60;

// The finest level, not finer than the picture's, whose groups have room.
function matrixDepth(depth) {
  while (depth > 1 && DATA.levels[depth - 1].names.length > MATRIX) depth--;
  return depth;
}

function cellText(edge, state, held) {
  const sign = worst(edge, state);
  const mark = held >= 0 && held !== state && differs(edge, state, held) ? "*" : "";
  return sign === NOTHING ? `r${digit(edge.attempts)}${mark}` : DATA.signs[sign][0] + digit(busyness(edge, state)) + mark;
}

// The groups of a view in a table: those of a level, or of an opened group those that have traffic.
function matrixOf(view, edges) {
  const first = [], places = [];
  view.of.forEach((group, i) => { first[group] = DATA.levels[0].of[i]; });
  const touched = new Set(edges.flatMap((edge) => [edge.client, edge.server]));
  view.names.forEach((_, i) => { if (!view.inner || view.inner[i] || touched.has(i)) places.push(i); });
  const numbers = new Map(places.map((place, i) => [place, i]));
  return {
    names: places.map((i) => view.names[i]), first: places.map((i) => first[i]),
    cells: new Map(edges.map((edge) => [numbers.get(edge.client) * places.length + numbers.get(edge.server), edge])),
  };
}

// Build the table; `onCell(edge)` is called for a cell with traffic.
function showMatrix(title, { names, first, cells }, state, held, onCell) {
  const shown = Math.min(names.length, MATRIX);
  const table = element("table", { role: "grid", "aria-label": "Rows talk to columns" });
  const head = element("tr");
  head.append(element("th", { scope: "col" }, "from \\ to"));
  for (let i = 0; i < shown; i++) head.append(element("th", { scope: "col", title: names[i] }, String(i + 1)));
  table.append(element("thead"));
  table.tHead.append(head);
  const body = element("tbody");
  for (let r = 0; r < shown; r++) {
    const row = element("tr");
    if (r && first[r] !== first[r - 1]) row.className = "first";
    row.append(element("th", { scope: "row", title: names[r] }, `${r + 1} ${names[r]}`));
    for (let c = 0; c < shown; c++) {
      const edge = cells.get(r * names.length + c);
      const cell = element("td", { tabindex: "-1" }, edge ? cellText(edge, state, held) : DATA.signs[NOTHING][0]);
      cell.className = edge ? `some s${worst(edge, state)}${mixed(edge, state) ? " mixed" : ""}` : "s5";
      cell.ariaLabel = `${names[r]} to ${names[c]}: ${edge ? DATA.signs[worst(edge, state)][1] : "nothing"}`;
      row.append(cell);
    }
    body.append(row);
  }
  table.append(body);
  const place = (cell) => [cell.parentElement.rowIndex - 1, cell.cellIndex - 1];
  const open = (cell) => {
    const edge = cell.tagName === "TD" && cells.get(place(cell)[0] * names.length + place(cell)[1]);
    if (!edge) return;
    table.querySelectorAll(".chosen").forEach((one) => one.classList.remove("chosen"));
    cell.classList.add("chosen");
    onCell(edge);
  };
  table.addEventListener("click", (event) => open(event.target));
  table.addEventListener("keydown", (event) => {
    const cell = event.target;
    if (cell.tagName !== "TD") return;
    const [r, c] = place(cell);
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (event.key === "Enter") open(cell);
    else if (step) body.rows[r + step[0]]?.cells[c + step[1] + 1]?.tagName === "TD" && body.rows[r + step[0]].cells[c + step[1] + 1].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  if (body.rows[0]?.cells[1]) body.rows[0].cells[1].tabIndex = 0;
  document.getElementById("matrix").replaceChildren(table);
  const more = names.length - shown;
  document.getElementById("matrix-told").textContent = `${title}: sign, size, * where it differs from what hosts enforce`
    + (more ? `; ${counted(more, "more group")} without room` : "");
}

function element(name, attributes, text) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
