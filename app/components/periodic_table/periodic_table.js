/* The clickable periodic table.
 *
 * Streamlit calls the exported function again whenever Python's data change, with the same parent. The tiles are
 * built once per parent and then only updated, so that focus and half-typed text survive every rerun.
 *
 * How actions and answers are kept apart (see __init__.py): every action raises `revision`; an answer of the same
 * generation with a lower revision is out of date, and its states are ignored; another generation is a change made
 * by the program, and is taken over.
 */
const ALLOWED = "allowed", FORBIDDEN = "forbidden", FIXED = "fixed", SUBSTITUTED = "substituted";
const ROWS = 9, COLUMNS = 18, FIRST_F_ROW = 8;
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const HINT = "Click or Enter: next state · Shift: back · arrows move · a symbol jumps";
const TYPING_MS = 1000; // between two letters of one symbol
/* The table is that of a design, chooses elements, or filters compositions; the states have the same names in all. */
const MODES = {
  design: {
    order: [ALLOWED, FORBIDDEN, FIXED],
    line: "forbid all its allowed elements; if there are none, allow the forbidden ones",
    legend: [
      [ALLOWED, "allowed"],
      [FORBIDDEN, "forbidden"],
      [FIXED, "fixed: exactly this amount"],
      [SUBSTITUTED, "substituted: replaced by others"],
    ],
    counted: (count) => `in ${count.toLocaleString("en")} training composition${count === 1 ? "" : "s"}`,
    scale: () => "training data (log)",
    share: (count, most) => Math.log1p(count) / Math.log1p(most), // the richest element has a thousand times the poorest
    states: {},
  },
  choice: {
    order: [ALLOWED, FORBIDDEN],
    line: "forbid all its allowed elements; if there are none, allow the forbidden ones",
    legend: [[ALLOWED, "may occur"], [FORBIDDEN, "may not occur"]],
    counted: (count) => `in ${count.toLocaleString("en")} composition${count === 1 ? "" : "s"} of the Tc data`,
    scale: () => "measured Tc data (log)",
    share: (count, most) => Math.log1p(count) / Math.log1p(most),
    states: { [ALLOWED]: "may occur", [FORBIDDEN]: "may not occur" },
  },
  filter: {
    order: [ALLOWED, FIXED, FORBIDDEN],
    line: "exclude all its elements that are not required; if there are none, clear those excluded",
    legend: [[FIXED, "required: in every composition"], [FORBIDDEN, "excluded: in none"]],
    counted: (count) => `in ${count.toLocaleString("en")} of the compositions found`,
    scale: (most, total) => `share of the compositions found, 0 to ${total ? Math.round((100 * most) / total) : 0}%`,
    share: (count, most) => Math.min(1, count / most),
    states: { [ALLOWED]: "not filtered", [FIXED]: "required", [FORBIDDEN]: "excluded" },
  },
};

/* What the tiles of a design show beside the number of training compositions; a value of an element may be missing. */
const VALUES = {
  electronegativity: {
    label: "electronegativity",
    scale: "electronegativity (Pauling), 0.7 to 4.0",
    text: (value) => value.toFixed(2),
    sentence: (value) => `electronegativity ${value.toFixed(2)} (Pauling)`,
    share: (value) => (value - 0.7) / 3.3,
  },
  radius: {
    label: "covalent radius",
    scale: "covalent radius, 0.3 to 2.6 Å (Cordero 2008)",
    text: (value) => value.toFixed(2),
    sentence: (value) => `covalent radius ${value.toFixed(2)} Å`,
    share: (value) => (value - 0.3) / 2.3,
  },
  abundance: {
    label: "abundance in the crust",
    scale: "mg per kg of the Earth's crust, log (CRC Handbook 2011, by SMACT)",
    text: (value) => (value < 1000 ? String(Number(value.toPrecision(2))) : short(value)),
    sentence: (value) => `${rounded(value)} mg per kg of the Earth's crust`,
    share: (value) => Math.log10(Math.max(value, 1e-3) / 1e-3) / 8.7,
  },
  price: {
    label: "price",
    scale: "US$ per kg of the element, log (Wikipedia, by mendeleev)",
    text: (value) => (value < 1000 ? String(Number(value.toPrecision(2))) : short(value)),
    sentence: (value) => `about $${rounded(Number(value.toPrecision(2)))} per kg of the element`,
    share: (value) => Math.log10(value / 0.08) / 7,
  },
  exposure: {
    label: "toxicity",
    scale: "µg a day permitted by mouth, log, reversed (ICH Q3D; –: not assessed, not harmless)",
    text: (value) => (value < 1000 ? String(value) : short(value)),
    sentence: (value) => `${rounded(value)} µg a day permitted by mouth (ICH Q3D; not for dust and vapour)`,
    mark: "–",
    none: "toxicity not assessed in ICH Q3D, which does not mean harmless",
    also: ({ toxic }) => (toxic ? "; one of the group “toxic” (IARC, EU RoHS, and Os)" : ""),
    share: (value) => 1 - Math.log10(value / 5) / 3.6,
  },
};
const TRAINING = "training";
let chosenValue = TRAINING; // of this browser tab, so that it survives a visit to another page

const views = new WeakMap();

export default function ({ parentElement, data, setStateValue }) {
  if (!views.has(parentElement)) views.set(parentElement, new PeriodicTable(parentElement, data));
  const view = views.get(parentElement);
  view.send = (value) => setStateValue("table", value);
  view.receive(data);
}

class PeriodicTable {
  constructor(parent, { elements, mode }) {
    this.words = MODES[mode];
    this.filters = mode === "filter";
    this.elements = new Map(elements.map((element) => [element.symbol, element]));
    this.cells = new Map(); // "row,column" -> tile or header button; row 0 and column 0 are the headers
    this.tiles = new Map(); // symbol -> tile
    this.entries = new Map(); // symbol -> {state, amount}; a symbol not in here is allowed
    this.amounts = new Map(); // the last amount of each element, for when it is fixed again
    this.generation = null;
    this.revision = 0;
    this.selected = "H"; // the element in the panel
    this.typed = { text: "", at: -Infinity }; // letters typed on a tile, and when the last one was
    this.root = make("div", { className: `periodic-table ${mode}` });
    this.grid = make("div", { className: "grid", role: "group", ariaLabel: "Periodic table" });
    this.buildHeaders();
    for (const element of elements) this.buildTile(element);
    this.buildPanel();
    this.root.append(this.grid, this.buildLegend());
    this.listen();
    this.rove(this.tiles.get(this.selected));
    parent.append(this.root);
  }

  buildTile(element) {
    const tile = make("button", { type: "button", className: "tile" }, [
      make("span", { className: "number", textContent: element.z }),
      make("span", { className: "mark" }),
      make("span", { className: "symbol", textContent: element.symbol }),
      make("span", { className: "count" }),
      make("span", { className: "bar" }),
    ]);
    Object.assign(tile.dataset, { symbol: element.symbol, block: element.block });
    this.tiles.set(element.symbol, tile);
    this.place(tile, element.row, element.column);
  }

  buildHeaders() {
    const header = (textContent, line, row, column, belongs, className = "header") => {
      const title = `${line}: ${this.words.line}`;
      const button = make("button", { type: "button", className, textContent, title, ariaLabel: title, belongs });
      button.dataset.line = line;
      this.place(button, row, column);
    };
    for (let group = 1; group <= COLUMNS; group++) {
      header(group, `Group ${group}`, 0, group, (e) => e.row < FIRST_F_ROW && e.column === group);
    }
    for (let period = 1; period < FIRST_F_ROW; period++) {
      header(period, `Period ${period}`, period, 0, (e) => e.row === period);
    }
    // By family, not by row as drawn: Lu and Lr stand in group 3 but are a lanthanoid and an actinoid.
    for (const [row, family] of [[FIRST_F_ROW, "Lanthanoid"], [FIRST_F_ROW + 1, "Actinoid"]]) {
      header(`${family}s`, `${family}s`, row, 0, (e) => e.category === family.toLowerCase(), "header family");
    }
  }

  place(button, row, column) {
    Object.assign(button, { row, column, tabIndex: -1 });
    button.style.gridRow = row + 1 + (row >= FIRST_F_ROW); // an empty grid row parts the f block from the rest
    button.style.gridColumn = button.classList.contains("family") ? "1 / span 3" : column + 1;
    this.cells.set(`${row},${column}`, button);
    this.grid.append(button);
  }

  /* The panel fills the space above the transition metals. Its amount field comes after the tiles in tab order. */
  buildPanel() {
    this.find = make("input", { type: "text", placeholder: "Find element", autocomplete: "off", spellcheck: false });
    this.find.ariaLabel = "Find element by symbol or name";
    this.findMessage = make("span", { className: "message", role: "status" });
    const options = [[TRAINING, "training data"], ...Object.entries(VALUES).map(([name, { label }]) => [name, label])];
    this.choice = make("select", { className: "values", ariaLabel: "Values on the tiles" },
      options.map(([value, label]) => make("option", { value, textContent: `Tiles: ${label}` })));
    this.choice.value = chosenValue;
    this.choice.hidden = this.filters;
    this.grid.prepend(make("div", { className: "find" }, [this.find, this.findMessage, this.choice]));
    this.facts = make("div", { className: "facts" });
    this.status = make("span", { className: "status", ariaLive: "polite" });
    this.amount = make("input", { type: "text", inputMode: "decimal", autocomplete: "off", className: "amount" });
    this.unit = make("span", { className: "unit", textContent: "atoms per formula unit" });
    this.amountMessage = make("span", { className: "message", role: "alert" });
    this.editor = make("span", { className: "editor" }, [this.amount, this.unit, this.amountMessage]);
    this.grid.append(make("div", { className: "panel" }, [
      this.facts, make("div", { className: "line" }, [this.status, this.editor]),
    ]));
  }

  buildLegend() {
    const samples = this.words.legend.map(([state, text]) => {
      const sample = make("span", { className: "tile sample", ariaHidden: "true" }, [make("span", { className: "mark" })]);
      sample.dataset.state = state;
      const item = make("span", { className: "item" }, [sample, text]);
      item.dataset.legend = state;
      return item;
    });
    this.scale = make("span");
    const bar = make("span", { className: "item" }, [make("span", { className: "bar sample" }), this.scale]);
    const base = make("span", { className: "item" }, [make("span", { className: "tile base sample" }), "in the base"]);
    base.dataset.legend = "base";
    const hint = make("span", { className: "hint", textContent: HINT });
    return make("div", { className: "legend" }, [...samples, base, bar, hint]);
  }

  listen() {
    this.grid.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      button.focus({ preventScroll: true }); // Safari does not focus a clicked button
      this.act(button, event.shiftKey ? -1 : 1);
    });
    this.grid.addEventListener("focusin", (event) => {
      const button = event.target.closest("button");
      if (button) this.rove(button);
    });
    this.grid.addEventListener("keydown", (event) => this.onKey(event));
    for (const type of ["keypress", "keyup"]) this.grid.addEventListener(type, (event) => isLetter(event) && event.stopPropagation());
    // A button is pressed by the space bar on key up; it has then been handled on key down.
    this.grid.addEventListener("keyup", (event) => event.key === " " && event.target.row !== undefined && event.preventDefault());
    this.choice.addEventListener("change", () => {
      chosenValue = this.choice.value;
      this.render();
    });
    for (const input of [this.find, this.amount, this.choice]) {
      // Outside, the target of the event is the shadow host, and Streamlit would take r and c for its shortcuts.
      for (const type of ["keydown", "keypress", "keyup"]) input.addEventListener(type, (e) => e.stopPropagation());
    }
    this.find.addEventListener("input", () => this.highlight());
    this.find.addEventListener("blur", () => this.highlight(false));
    this.find.addEventListener("focus", () => this.highlight());
    this.find.addEventListener("keydown", (event) => this.onFindKey(event));
    this.amount.addEventListener("input", () => this.checkAmount());
    this.amount.addEventListener("blur", () => this.commitAmount());
    this.amount.addEventListener("keydown", (event) => this.onAmountKey(event));
  }

  onKey(event) {
    const button = event.target.closest("button");
    if (!button || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      if (!event.repeat) this.act(button, event.shiftKey ? -1 : 1);
    } else if (STEPS[event.key]) {
      this.neighbour(button, ...STEPS[event.key])?.focus();
    } else if (event.key === "Home" || event.key === "End") {
      this.cellsOfRow(button.row).at(event.key === "Home" ? 0 : -1).focus();
    } else if (isLetter(event)) {
      event.stopPropagation(); // r and c are shortcuts of Streamlit
      this.jump(event.key, event.timeStamp);
    } else return;
    event.preventDefault();
  }

  /* To the element whose symbol or name is typed; a letter that continues neither begins another one. */
  jump(letter, now) {
    const before = now - this.typed.at < TYPING_MS ? this.typed.text : "";
    const text = [before + letter, letter].find((each) => this.match(each)) ?? "";
    this.typed = { text, at: now };
    if (text) this.tiles.get(this.match(text).symbol).focus();
  }

  /* The next cell this way, over empty places; downwards or upwards, if there is none, the nearest of the next row. */
  neighbour({ row, column }, down, right) {
    let [r, c] = [row + down, column + right];
    for (; r >= 0 && r <= ROWS && c >= 0 && c <= COLUMNS; r += down, c += right) {
      if (this.cells.has(`${r},${c}`)) return this.cells.get(`${r},${c}`);
    }
    const away = (cell) => Math.abs(cell.column - column);
    return down ? this.cellsOfRow(row + down).sort((a, b) => away(a) - away(b))[0] : undefined;
  }

  /* From left to right, without the header of the row. */
  cellsOfRow(row) {
    const cells = [...this.cells.values()].filter((cell) => cell.row === row && (cell.column > 0 || row === 0));
    return cells.sort((a, b) => a.column - b.column);
  }

  /* Exactly one button is in the tab order: the last one that had the focus. */
  rove(button) {
    for (const cell of this.cells.values()) cell.tabIndex = cell === button ? 0 : -1;
    if (button.dataset.symbol) this.select(button.dataset.symbol);
  }

  select(symbol) {
    if (symbol !== this.selected) this.amount.ariaInvalid = "false";
    this.selected = symbol;
    for (const [name, tile] of this.tiles) tile.classList.toggle("selected", name === symbol);
    if (this.data) this.renderPanel();
  }

  match(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return undefined;
    const all = [...this.elements.values()];
    return all.find((e) => e.symbol.toLowerCase() === wanted)
      ?? all.find((e) => e.symbol.toLowerCase().startsWith(wanted) && wanted.length > 1)
      ?? all.find((e) => e.name.toLowerCase().startsWith(wanted));
  }

  highlight(active = true) {
    const found = active ? this.match(this.find.value) : undefined;
    for (const [symbol, tile] of this.tiles) tile.classList.toggle("found", symbol === found?.symbol);
    const missing = active && this.find.value.trim() !== "" && !found;
    this.find.ariaInvalid = String(missing);
    this.findMessage.textContent = missing ? "No such element" : found ? `Enter: go to ${found.name}` : "";
  }

  onFindKey(event) {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault(); // else the tile that gets the focus is pressed by the same Enter
    const found = event.key === "Enter" ? this.match(this.find.value) : undefined;
    if (found || event.key === "Escape") this.find.value = "";
    this.highlight();
    if (found) this.tiles.get(found.symbol).focus();
  }

  stateOf(symbol) {
    return this.entries.get(symbol)?.state ?? ALLOWED;
  }

  act(button, step) {
    if (button.belongs) this.toggleLine(button.belongs);
    else this.cycle(button.dataset.symbol, step);
  }

  cycle(symbol, step) {
    if (symbol in this.data.unavailable) return;
    const state = this.stateOf(symbol);
    const order = [...this.words.order];
    if (state === SUBSTITUTED || this.data.can_substitute.includes(symbol)) order.push(SUBSTITUTED);
    this.set(symbol, order[(order.indexOf(state) + step + order.length) % order.length]);
    this.commit();
  }

  toggleLine(belongs) {
    const line = [...this.elements.values()].filter((e) => belongs(e) && !(e.symbol in this.data.unavailable));
    const having = (state) => line.filter((e) => this.stateOf(e.symbol) === state);
    const [allowed, forbidden] = [having(ALLOWED), having(FORBIDDEN)];
    for (const { symbol } of allowed) this.set(symbol, FORBIDDEN);
    if (!allowed.length) for (const { symbol } of forbidden) this.set(symbol, ALLOWED);
    if (allowed.length || forbidden.length) this.commit();
  }

  set(symbol, state) {
    if (state === ALLOWED) this.entries.delete(symbol);
    else this.entries.set(symbol, state === FIXED ? { state, amount: this.amounts.get(symbol) ?? 1 } : { state });
  }

  /* Draw first, then tell Python: the table answers at once however long the page takes. */
  commit() {
    this.revision += 1;
    this.render();
    const named = (state) => [...this.entries.keys()].filter((symbol) => this.stateOf(symbol) === state);
    this.send({
      generation: this.generation,
      revision: this.revision,
      forbidden: named(FORBIDDEN),
      fixed: Object.fromEntries(named(FIXED).map((symbol) => [symbol, this.entries.get(symbol).amount])),
      substituted: named(SUBSTITUTED),
    });
  }

  /* The amount as typed, or undefined (with a message beside the field) when it is not a positive decimal number. */
  checkAmount() {
    const text = this.amount.value.trim();
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
    const valid = value > 0 && Number.isFinite(value);
    this.amount.ariaInvalid = String(!valid);
    const kept = this.entries.get(this.selected).amount;
    this.amountMessage.textContent = valid ? "" : `Write a number above 0, like 1.5; it stays ${kept}`;
    return valid ? value : undefined;
  }

  commitAmount() {
    if (this.stateOf(this.selected) !== FIXED) return false;
    const value = this.checkAmount();
    if (value === undefined) return false;
    if (value !== this.entries.get(this.selected).amount) {
      this.amounts.set(this.selected, value);
      this.set(this.selected, FIXED);
      this.commit();
    }
    return true;
  }

  onAmountKey(event) {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault(); // as for the find field
    if (event.key === "Escape") {
      this.amount.value = this.entries.get(this.selected).amount;
      this.checkAmount();
    }
    if (event.key === "Escape" || this.commitAmount()) this.tiles.get(this.selected).focus();
  }

  receive(data) {
    const base = data.base.join();
    const isNewBase = base !== this.data?.base.join() && data.base.length > 0 && !data.base.includes(this.selected);
    this.data = data;
    if (isNewBase && !this.root.matches(":focus-within")) this.rove(this.tiles.get(data.base[0]));
    if (data.generation !== this.generation || data.revision >= this.revision) this.adopt(data);
    this.render();
  }

  adopt(data) {
    if (data.generation !== this.generation) this.amount.ariaInvalid = "false";
    this.generation = data.generation;
    this.revision = data.revision;
    this.entries.clear();
    for (const symbol of data.forbidden) this.entries.set(symbol, { state: FORBIDDEN });
    for (const symbol of data.substituted) this.entries.set(symbol, { state: SUBSTITUTED });
    for (const [symbol, amount] of Object.entries(data.fixed)) {
      this.entries.set(symbol, { state: FIXED, amount });
      this.amounts.set(symbol, amount);
    }
  }

  render() {
    // Every composition found has the required elements, which would make all others pale.
    const compared = Object.entries(this.data.counts).filter(([symbol]) => !this.filters || this.stateOf(symbol) !== FIXED);
    this.most = Math.max(1, ...compared.map(([, count]) => count));
    this.shown = this.filters ? undefined : VALUES[chosenValue];
    this.root.classList.toggle("heat", this.shown !== undefined);
    this.scale.textContent = this.shown?.scale ?? this.words.scale(this.most, this.data.total);
    for (const [symbol, tile] of this.tiles) this.renderTile(symbol, tile);
    const substitution = this.data.can_substitute.length > 0 || [...this.entries.values()].some((e) => e.state === SUBSTITUTED);
    const item = this.root.querySelector(`[data-legend=${SUBSTITUTED}]`);
    if (item) item.hidden = !substitution;
    this.root.querySelector("[data-legend=base]").hidden = !this.data.base.length;
    this.renderPanel();
  }

  renderTile(symbol, tile) {
    const unavailable = symbol in this.data.unavailable;
    const count = this.data.counts[symbol] ?? 0;
    const label = this.describe(symbol);
    tile.dataset.state = unavailable ? "unavailable" : this.stateOf(symbol);
    tile.ariaLabel = tile.title = label;
    tile.ariaDisabled = String(unavailable);
    const amount = this.filters ? undefined : this.entries.get(symbol)?.amount;
    const limit = tile.dataset.state === ALLOWED ? this.data.limits[symbol]?.[0] : undefined;
    const mark = tile.querySelector(".mark");
    mark.textContent = limit ?? (amount && !unavailable ? `×${Number(amount.toPrecision(3))}` : "");
    tile.classList.toggle("limited", limit !== undefined);
    tile.classList.toggle("base", this.data.base.includes(symbol));
    mark.classList.toggle("long", mark.textContent.length > 3);
    tile.querySelector(".count").textContent = this.filters && !count ? "" : short(count);
    tile.classList.toggle("empty", this.filters && !count);
    tile.style.setProperty("--share", this.words.share(count, this.most));
    if (this.shown) {
      const value = this.valueOf(symbol);
      tile.querySelector(".count").textContent = value === null ? this.shown.mark ?? "" : this.shown.text(value);
      tile.style.setProperty("--share", value === null ? 0 : Math.min(1, Math.max(0, this.shown.share(value))));
    }
  }

  describe(symbol) {
    const { name } = this.elements.get(symbol);
    const ofBase = this.data.base.includes(symbol) ? "element of the base, " : "";
    return `${capital(name)} (${symbol}), ${ofBase}${this.sentence(symbol)}, ${this.countText(symbol)}`;
  }

  sentence(symbol) {
    const reason = this.data.unavailable[symbol];
    if (reason) return `not available: ${reason}`;
    const { state, amount } = this.entries.get(symbol) ?? { state: ALLOWED };
    if (this.words.states[state]) return this.words.states[state];
    if (state === FIXED) return `fixed at ${amount} per formula unit`;
    return state === ALLOWED && symbol in this.data.limits ? `allowed, ${this.data.limits[symbol][1]}` : state;
  }

  /* Of the quantity that the tiles show; null if the element has none. */
  valueOf(symbol) {
    return this.elements.get(symbol).values[chosenValue] ?? null;
  }

  countText(symbol) {
    if (this.shown) {
      const value = this.valueOf(symbol);
      const sentence = value === null ? this.shown.none ?? `no ${this.shown.label} known` : this.shown.sentence(value);
      return sentence + (this.shown.also?.(this.elements.get(symbol)) ?? "");
    }
    return this.words.counted(this.data.counts[symbol] ?? 0);
  }

  renderPanel() {
    const symbol = this.selected, element = this.elements.get(symbol);
    const fixed = !this.filters && this.stateOf(symbol) === FIXED && !(symbol in this.data.unavailable);
    this.facts.replaceChildren(
      make("span", { className: "big", textContent: symbol }),
      make("span", {}, [
        make("strong", { textContent: capital(element.name) }), ` · ${element.category} · Z ${element.z}`,
        this.data.base.includes(symbol) ? " · in the base" : "",
        make("br"), this.countText(symbol),
      ]),
    );
    const status = fixed ? "Fixed at" : capital(this.sentence(symbol));
    if (this.status.textContent !== status) this.status.textContent = status; // a live region: a screen reader reads every change
    this.editor.hidden = !fixed;
    this.amount.ariaLabel = `Amount of ${element.name}, atoms per formula unit`;
    const typing = this.amount.getRootNode().activeElement === this.amount;
    // Do not change a field while the user types, nor clear an invalid amount before the user has seen the message.
    if (!fixed || typing || this.amount.ariaInvalid === "true") return;
    this.amount.value = this.entries.get(symbol).amount;
    this.amountMessage.textContent = "";
  }
}

function make(tag, properties = {}, children = []) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function isLetter({ key, ctrlKey, metaKey, altKey }) {
  return /^[a-z]$/i.test(key) && !ctrlKey && !metaKey && !altKey;
}

function rounded(value) {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

function short(count) {
  if (count < 1000) return String(count);
  return count < 9950 ? `${(count / 1000).toFixed(1)}k` : `${Math.round(count / 1000)}k`;
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
