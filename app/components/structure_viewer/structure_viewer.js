/* A crystal structure in 3D: cells, atoms and bonds as Python gives them, drawn by 3Dmol.js.
 *
 * Data with frames are an animation, which begins at its last frame.
 * Streamlit calls the exported function again whenever Python's data change, with the same parent. The view is built
 * once per parent; new data replace the model. The library comes as another component, before or after this one.
 */
const EDGE = 0.02; // atoms within this fraction of a cell from a face are drawn on the opposite face too
const LINE_COLOUR = "#8a9390", LABEL_COLOUR = "#737e7b"; // visible on light and dark ground
const FILL = 1.15; // of the space that 3Dmol leaves around the atoms
const ATOM_SCALE = 0.36, SMALLEST_RADIUS = 0.28, BOND_RADIUS = 0.09, EDGE_RADIUS = 0.028; // Å, the scale of radii
const ALIKE = 70; // colours at a smaller distance (0 to 441) are told apart by brightness
const KEYS = { ArrowLeft: [-10, "vy"], ArrowRight: [10, "vy"], ArrowUp: [-10, "vx"], ArrowDown: [10, "vx"] };
const WAIT_MS = 50, MOST_WAITS = 600;
const FRAME_MS = 160, LAST_FRAME_MS = 1200; // of an animation
const UNLOADED = "The 3D viewer could not be loaded. Reload the page.";
const NO_WEBGL = "This browser draws no 3D graphics (WebGL). The structure can be downloaded all the same.";

const views = new WeakMap();

export default function ({ parentElement, data }) {
  if (!views.has(parentElement)) views.set(parentElement, new StructureViewer(parentElement));
  const view = views.get(parentElement);
  view.receive(data);
  return () => setTimeout(() => {
    if (parentElement.isConnected) return; // called for new data, not because the page is left
    view.release();
    views.delete(parentElement);
  });
}

class StructureViewer {
  constructor(parent) {
    this.chosenRepeats = null; // until the user chooses
    this.spinning = false;
    this.view = "tilted";
    this.root = make("div", { className: "structure-viewer" });
    this.stage = make("div", { className: "stage", tabIndex: 0, role: "img" });
    this.message = make("p", { className: "message", role: "alert", hidden: true });
    this.legend = make("div", { className: "legend" });
    this.root.append(this.stage, this.message, this.buildControls(), this.legend);
    parent.append(this.root);
    this.stage.addEventListener("keydown", (event) => this.press(event));
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.stage);
  }

  buildControls() {
    this.repeatButtons = [1, 2, 3].map((n) => button(`${n}×${n}×${n}`, `${n ** 3} cells`, () => {
      this.repeats = this.chosenRepeats = n;
      this.draw();
    }));
    this.viewButtons = ["tilted", "a", "b", "c"].map((name) => button(
      name === "tilted" ? "Tilted" : name, name === "tilted" ? "Tilted view" : `View along ${name}`, () => this.look(name),
    ));
    this.spinButton = button("Rotate", "Turn the structure about the vertical", () => this.spin(!this.spinning));
    const picture = button("PNG", "Save this picture", () => this.save());
    const whole = button("Full screen", "Fill the screen; Escape returns", () => this.fill());
    this.playButton = button("Play", "Show the way from its beginning", () => this.play(this.timer === undefined));
    this.slider = make("input", { type: "range", min: 0, step: 1, ariaLabel: "Moment" });
    this.slider.addEventListener("input", () => {
      this.play(false);
      this.show(Number(this.slider.value));
    });
    for (const type of ["keydown", "keyup"]) this.slider.addEventListener(type, (event) => event.stopPropagation());
    this.moment = make("span", { className: "moment" });
    this.way = make("div", { className: "way" }, [
      make("div", { className: "group" }, [this.playButton]), this.slider, this.moment,
    ]);
    const group = (name, buttons) => make("div", { className: "group", role: "group", ariaLabel: name }, buttons);
    return make("div", { className: "controls" }, [
      this.way, group("Cells", this.repeatButtons), group("View", this.viewButtons), group("Picture", [this.spinButton, picture, whole]),
    ]);
  }

  receive(data) {
    const text = JSON.stringify(data);
    if (text === this.shown) return;
    this.shown = text;
    this.play(false);
    this.data = data;
    this.frames = data.frames ?? [data];
    this.at = this.frames.length - 1;
    this.way.hidden = this.frames.length === 1;
    this.slider.max = this.at;
    this.repeats = Math.min(this.chosenRepeats ?? data.first_repeats, data.most_repeats);
    this.stage.ariaLabel = `${data.title}. Drag or press the arrow keys to turn, plus and minus to zoom.`;
    this.start();
  }

  /* Draw, as soon as the library is there. */
  async start() {
    for (let waits = 0; !globalThis.$3Dmol; waits++) {
      if (waits === MOST_WAITS) return this.say(UNLOADED);
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
    }
    if (!this.viewer) {
      try {
        this.viewer = globalThis.$3Dmol.createViewer(this.stage, {
          backgroundAlpha: 0, orthographic: true, antialias: true, disableFog: true,
        });
      } catch (error) {
        console.error(error);
      }
      if (!this.viewer?.getCanvas?.()) return this.say(NO_WEBGL);
    }
    this.draw();
  }

  say(text) {
    Object.assign(this.message, { textContent: text, hidden: false });
    this.stage.hidden = true;
  }

  get frame() {
    return this.frames[this.at];
  }

  /* Another frame, from the same side and as near. */
  show(at) {
    this.at = at;
    if (!this.viewer) return;
    const view = this.viewer.getView();
    this.draw();
    this.viewer.setView(view);
    this.viewer.render();
  }

  play(on) {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.playButton) this.playButton.textContent = on ? "Stop" : "Play";
    if (!on) return;
    const next = (at) => {
      this.show(at);
      const last = at === this.frames.length - 1;
      this.timer = setTimeout(() => (last ? this.play(false) : next(at + 1)), last ? LAST_FRAME_MS : FRAME_MS);
    };
    this.spin(false);
    next(0);
  }

  draw() {
    if (!this.viewer) return;
    const { viewer, data } = this;
    viewer.removeAllModels();
    viewer.removeAllShapes();
    viewer.removeAllLabels();
    const colours = this.colours();
    const { atoms, drawn } = this.atoms();
    const model = viewer.addModel();
    model.addAtoms(atoms);
    for (const [symbol, , radius] of this.frame.elements) {
      const color = colours.get(symbol);
      model.setStyle({ elem: symbol }, {
        sphere: { radius: Math.max(ATOM_SCALE * radius, SMALLEST_RADIUS), color }, stick: { radius: BOND_RADIUS, color },
      });
    }
    this.drawCells();
    this.drawLegend(colours);
    this.stage.dataset.atoms = drawn;
    this.slider.value = this.at;
    this.moment.textContent = this.slider.ariaValueText = this.frame.moment ?? "";
    this.repeatButtons.forEach((each, i) => {
      each.disabled = i + 1 > data.most_repeats;
      each.ariaPressed = i + 1 === this.repeats;
    });
    this.look(this.view);
    this.spin(this.spinning);
  }

  /* The atoms of all cells with those on the far faces, each with the indices of its neighbours. */
  atoms() {
    const { frame, repeats } = this;
    const places = new Map(); // "atom,i,j,k" -> index among the drawn atoms
    const atoms = [];
    frame.atoms.forEach(([elem, ...fraction], atom) => {
      const shifts = fraction.map((f) => range(-1, repeats).filter((s) => f + s > -EDGE && f + s < repeats + EDGE));
      for (const i of shifts[0]) for (const j of shifts[1]) for (const k of shifts[2]) {
        const [x, y, z] = this.point(fraction[0] + i, fraction[1] + j, fraction[2] + k);
        places.set(`${atom},${i},${j},${k}`, atoms.length);
        atoms.push({ elem, x, y, z, serial: atoms.length, bonds: [], bondOrder: [] });
      }
    });
    const cells = range(-2, repeats + 1);
    for (const [start, end, di, dj, dk] of frame.bonds) {
      for (const i of cells) for (const j of cells) for (const k of cells) {
        const one = places.get(`${start},${i},${j},${k}`), other = places.get(`${end},${i + di},${j + dj},${k + dk}`);
        if (one === undefined || other === undefined) continue;
        for (const [from, to] of [[one, other], [other, one]]) {
          atoms[from].bonds.push(to);
          atoms[from].bondOrder.push(1);
        }
      }
    }
    return { atoms, drawn: atoms.length };
  }

  drawCells() {
    const n = this.repeats, steps = range(0, n);
    const line = (from, to) => this.viewer.addCylinder({
      start: vector(this.point(...from)), end: vector(this.point(...to)), radius: EDGE_RADIUS, color: LINE_COLOUR,
      fromCap: 1, toCap: 1,
    });
    for (const i of steps) for (const j of steps) {
      line([0, i, j], [n, i, j]);
      line([i, 0, j], [i, n, j]);
      line([i, j, 0], [i, j, n]);
    }
    ["a", "b", "c"].forEach((name, axis) => {
      const length = Math.hypot(...this.frame.lattice[axis]);
      const place = [0, 0, 0];
      place[axis] = n + 1.2 / length;
      this.viewer.addLabel(name, {
        position: vector(this.point(...place)), showBackground: false, fontColor: LABEL_COLOUR, fontSize: 17, bold: true,
        alignment: "center", inFront: true,
      });
    });
  }

  drawLegend(colours) {
    this.legend.replaceChildren(...this.frame.elements.map(([symbol, name]) => {
      const dot = make("i", { ariaHidden: "true" });
      dot.style.background = colours.get(symbol);
      return make("span", { className: "item", title: name }, [dot, symbol]);
    }), make("span", { className: "rule", textContent: this.data.bond_rule }));
  }

  /* Symbol -> colour: Jmol's; an element too much like one before it is darker or lighter. */
  colours() {
    const palette = globalThis.$3Dmol.elementColors.Jmol;
    const found = new Map();
    for (const [symbol] of this.frame.elements) {
      let colour = channels(palette[symbol] ?? 0xd0508f);
      for (const factor of [0.6, 0.35, 1.6]) {
        if (![...found.values()].some((other) => distance(other, colour) < ALIKE)) break;
        colour = channels(palette[symbol] ?? 0xd0508f).map((value) => Math.min(255, Math.round(value * factor)));
      }
      found.set(symbol, colour);
    }
    return new Map([...found].map(([symbol, rgb]) => [symbol, `#${rgb.map(hexadecimal).join("")}`]));
  }

  /* The middle of the cells is the origin, so that it stays in place where the lattice changes. */
  point(...fraction) {
    const { lattice } = this.frame;
    return [0, 1, 2].map((x) => fraction.reduce((total, f, row) => total + (f - this.repeats / 2) * lattice[row][x], 0));
  }

  /* Turn the model: along a lattice vector, or tilted, with c upwards. */
  look(name) {
    this.view = name;
    this.viewButtons.forEach((each) => { each.ariaPressed = each.textContent.toLowerCase() === name; });
    if (!this.viewer) return;
    const [a, b, c] = this.frame.lattice.map(unit);
    const front = unit(without(a, c)), side = cross(c, front);
    const tilted = unit(sum(scale(front, 0.86), scale(side, 0.4), scale(c, 0.3)));
    const toward = { a, b, c, tilted }[name];
    const up = unit(without(name === "c" ? b : c, toward));
    this.viewer.zoomTo();
    this.viewer.zoom(FILL);
    const view = this.viewer.getView();
    this.viewer.setView([...view.slice(0, 4), ...quaternion([cross(up, toward), up, toward])]);
    this.viewer.render();
  }

  spin(on) {
    this.spinning = on;
    this.spinButton.ariaPressed = on;
    this.viewer?.spin(false);
    if (on) this.viewer?.spin("vy", 0.6);
  }

  press(event) {
    if (!this.viewer) return;
    const turn = KEYS[event.key];
    if (turn) this.viewer.rotate(...turn);
    else if (event.key === "+" || event.key === "=") this.viewer.zoom(1.15);
    else if (event.key === "-") this.viewer.zoom(1 / 1.15);
    else return;
    this.viewer.render();
    event.preventDefault();
  }

  save() {
    if (!this.viewer) return;
    make("a", { href: this.viewer.pngURI(), download: `${this.data.file_name}.png` }).click();
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  /* The stage got another size, or is shown for the first time (in a tab). */
  fit() {
    const visible = this.stage.clientWidth > 0;
    if (!this.viewer || !visible) return;
    this.viewer.resize();
    if (!this.wasVisible) this.look(this.view);
    this.wasVisible = visible;
  }

  release() {
    this.play(false);
    this.observer.disconnect();
    this.viewer?.spin(false);
    const canvas = this.viewer?.getCanvas();
    (canvas?.getContext("webgl2") ?? canvas?.getContext("webgl"))?.getExtension("WEBGL_lose_context")?.loseContext();
    this.viewer = null;
  }
}

/* ---- small helpers ---- */
function make(tag, properties = {}, children = []) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

function button(textContent, title, onclick) {
  return make("button", { type: "button", textContent, title, ariaLabel: `${textContent}: ${title}`, onclick });
}

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const channels = (colour) => [(colour >> 16) & 255, (colour >> 8) & 255, colour & 255];
const hexadecimal = (value) => value.toString(16).padStart(2, "0");
const distance = (one, other) => Math.hypot(...one.map((value, i) => value - other[i]));
const vector = ([x, y, z]) => ({ x, y, z });
const dot = (u, v) => u.reduce((total, value, i) => total + value * v[i], 0);
const scale = (u, factor) => u.map((value) => value * factor);
const sum = (...vectors) => [0, 1, 2].map((i) => vectors.reduce((total, v) => total + v[i], 0));
const unit = (u) => scale(u, 1 / Math.hypot(...u));
const without = (u, direction) => sum(u, scale(direction, -dot(u, direction)));
const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];

/* The rotation whose matrix has these rows, as a quaternion (x, y, z, w). */
function quaternion([r0, r1, r2]) {
  const size = (a, b, c) => Math.sqrt(Math.max(0, 1 + a + b + c)) / 2;
  const w = size(r0[0], r1[1], r2[2]);
  const x = size(r0[0], -r1[1], -r2[2]), y = size(-r0[0], r1[1], -r2[2]), z = size(-r0[0], -r1[1], r2[2]);
  if (w > 1e-3) return [(r2[1] - r1[2]) / (4 * w), (r0[2] - r2[0]) / (4 * w), (r1[0] - r0[1]) / (4 * w), w];
  // half a turn: the signs follow from the products of two components
  if (x >= y && x >= z) return [x, (r0[1] + r1[0]) / (4 * x), (r0[2] + r2[0]) / (4 * x), (r2[1] - r1[2]) / (4 * x)];
  if (y >= z) return [(r0[1] + r1[0]) / (4 * y), y, (r1[2] + r2[1]) / (4 * y), (r0[2] - r2[0]) / (4 * y)];
  return [(r0[2] + r2[0]) / (4 * z), (r1[2] + r2[1]) / (4 * z), z, (r1[0] - r0[1]) / (4 * z)];
}
