// The picture: groups and edges drawn by cytoscape.js at places that were computed before.

const SIGNED = 200;
const DASHES = { 1: [10, 4], 2: [2, 4], 3: [5, 5], 5: [1, 5] };
const BEND = { least: DATA.bend[0], part: DATA.bend[1] };

function palette() {
  const css = getComputedStyle(document.documentElement);
  const of = (name) => css.getPropertyValue("--" + name).trim();
  const unknown = of("unknown");
  return { ground: of("ground"), text: of("text"), faint: of("faint"), box: of("box"),
    signs: [of("denied"), of("would"), unknown, unknown, of("allowed"), unknown] };
}

function pictureStyle() {
  const colours = palette();
  const font = "system-ui, sans-serif";
  const signs = colours.signs.map((colour, sign) => ({
    selector: `edge.s${sign}`,
    style: { "line-color": colour, "target-arrow-color": colour, color: colour,
      "target-arrow-shape": sign === 0 ? "tee" : "triangle",
      ...(DASHES[sign] ? { "line-style": "dashed", "line-dash-pattern": DASHES[sign] } : {}) },
  }));
  return [
    { selector: "node", style: { shape: "round-rectangle", "font-family": font, color: colours.text } },
    { selector: "node.group", style: { width: DATA.box[0], height: DATA.box[1], label: "data(label)", "font-size": 13,
      "text-valign": "center", "background-color": colours.box, "border-width": 1, "border-color": colours.text } },
    { selector: "node.frame", style: { width: "data(width)", height: "data(height)", label: "data(label)",
      "background-opacity": 0, "border-width": 1, "border-color": colours.faint, events: "no", "z-index": 0,
      "text-halign": "right", "text-valign": "top", "text-margin-x": "data(inset)", "text-margin-y": 22, "font-size": 13 } },
    { selector: "node.row", style: { "font-weight": "bold" } },
    { selector: "edge", style: { "curve-style": "unbundled-bezier", "edge-distances": "node-position",
      "control-point-distances": "data(bend)", "control-point-weights": 0.5, width: "data(width)",
      "arrow-scale": 0.9, label: "data(sign)", "font-size": 13, "font-weight": "bold", "font-family": font,
      "text-outline-width": 2, "text-outline-color": colours.ground } },
    { selector: "edge:loop", style: { "curve-style": "bezier", "loop-direction": "0deg", "loop-sweep": "60deg",
      "control-point-step-size": 34 } },
    ...signs,
    { selector: ".chosen", style: { "border-width": 4, "overlay-color": colours.text, "overlay-opacity": 0.18,
      "overlay-padding": 4 } },
  ];
}

const cy = cytoscape({
  container: document.getElementById("picture"),
  style: pictureStyle(), elements: [], layout: { name: "preset" }, minZoom: 0.02, maxZoom: 4, pixelRatio: 1,
  boxSelectionEnabled: false, autoungrabify: true,
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cy.style(pictureStyle()));

// Draw the first edges that have room, with their groups; return how many are drawn.
function draw(view, edges, state, fit) {
  const drawn = edges.slice(0, DATA.drawn.edges);
  const touched = new Set(drawn.flatMap((edge) => [edge.client, edge.server]));
  const every = view.names.length <= DATA.drawn.groups && !view.inner;
  const shown = (i) => view.places[i] && (touched.has(i) || every || (view.inner && view.inner[i]));
  const nodes = view.names.flatMap((_, i) => shown(i) ? [{
    group: "nodes", classes: "group", data: { id: "n" + i, label: view.short[i], place: i },
    position: { x: view.places[i][0], y: view.places[i][1] },
  }] : []);
  const frames = view.frames.map(([x, y, width, height, label, row], i) => ({
    group: "nodes", classes: row ? "frame row" : "frame", selectable: false,
    data: { id: "f" + i, label, width, height, inset: 10 - width }, position: { x: x + width / 2, y: y + height / 2 },
  }));
  const signed = drawn.length <= SIGNED;
  const lines = drawn.map((edge, i) => {
    const sign = worst(edge, state), [x1, y1] = view.places[edge.client], [x2, y2] = view.places[edge.server];
    return { group: "edges", classes: "s" + sign, data: {
      id: "e" + i, source: "n" + edge.client, target: "n" + edge.server, place: i,
      bend: BEND.least + BEND.part * Math.hypot(x2 - x1, y2 - y1),
      width: 1 + 0.6 * digit(busyness(edge, state)), sign: signed ? DATA.signs[sign][0] : "",
    } };
  });
  cy.batch(() => {
    cy.elements().remove();
    cy.add([...frames, ...nodes, ...lines.reverse()]);
  });
  if (fit) fitted();
  return drawn.length;
}

// The whole picture, not larger than life.
function fitted() {
  cy.fit(undefined, 20);
  if (cy.zoom() > 1.4) { cy.zoom(1.4); cy.center(); }
}

function choose(id) {
  cy.elements(".chosen").removeClass("chosen");
  if (id) cy.getElementById(id).addClass("chosen");
}

function savePng() {
  const blob = cy.png({ output: "blob", full: true, scale: 2, maxWidth: 8000, maxHeight: 8000, bg: palette().ground });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "ringfence-map.png";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
