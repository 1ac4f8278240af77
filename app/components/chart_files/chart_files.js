/* Files of a chart, for every Plotly chart of the page: a picture (PNG, SVG) for paper, and its data (CSV).
 *
 * Plotly's own button stores what is on the screen, in the dark theme white letters on nothing. Here the picture is on
 * white in dark letters, with the description of the chart as its caption. Nothing of this is drawn on the page: the
 * layout is changed, copied by Plotly in the same call, and put back.
 */
const INK = "#1b211f", QUIET = "#58625f";
const FONT = "Arial, Helvetica, sans-serif"; // of pictures: a font of the page is not in the file, and others are wider
const MARGIN_PX = 10; // more than on the page, around the picture
const LEAST_WIDTH_PX = 560; // of a picture: labels that just fit on the page would turn in another font
const DIGITS = 7; // of numbers in the data
const FORMATS = { PNG: "png", SVG: "svg" };
const CAPTION_PX = 12, LINE_PX = 16; // size and height of a line of the caption
const CHARACTER_PX = 5.8; // mean width of a character of the caption
const MOST_SLUG = 60; // characters of a file name

let listening = false;

export default function () {
  if (listening) return; // the module is loaded once per document, and this is called in every script run
  listening = true;
  for (const type of ["pointerover", "focusin"]) document.addEventListener(type, addButtons, { passive: true });
}

/* Plotly makes the bar anew with every change of the chart, so it is looked at whenever the pointer or focus arrives. */
function addButtons({ target }) {
  const chart = target.closest?.(".js-plotly-plot");
  const own = chart?.querySelector(".modebar-btn[data-attr], .modebar-btn");
  if (!own || chart.querySelector(".chart-file")) return;
  own.style.display = "none";
  const group = own.parentElement;
  for (const [label, format] of Object.entries(FORMATS)) {
    group.append(button(label, `Save the chart as ${label}`, () => savePicture(chart, own, format)));
  }
  group.append(button("CSV", "Save the data of the chart as CSV", () => saveData(chart)));
}

function button(label, title, act) {
  const made = Object.assign(document.createElement("button"), {
    type: "button", className: "modebar-btn chart-file", textContent: label, title, ariaLabel: title,
  });
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    act();
  });
  return made;
}

/* ---- pictures ---- */

function savePicture(chart, own, format) {
  const { layout, _context: context } = chart;
  const options = context.toImageButtonOptions;
  const printed = forPaper(chart);
  try {
    chart.layout = printed;
    context.toImageButtonOptions = { ...options, format, filename: fileName(chart), width: printed.width, height: printed.height };
    own.click(); // Plotly copies the layout before this returns
  } finally {
    chart.layout = layout;
    context.toImageButtonOptions = options;
  }
}

/* A copy of the layout in dark letters on white, with the caption beneath. */
function forPaper(chart) {
  const layout = structuredClone(chart.layout);
  darken(layout);
  darken(layout.template?.layout);
  const size = chart._fullLayout._size, { width, height } = chart._fullLayout;
  const wide = Math.max(width + MARGIN_PX, LEAST_WIDTH_PX);
  const lines = wrap(caption(chart), Math.floor((wide - 16) / CHARACTER_PX));
  const extra = lines.length * LINE_PX + 10;
  layout.width = wide;
  layout.height = height + MARGIN_PX + extra;
  layout.margin = { ...layout.margin, t: size.t + MARGIN_PX, r: size.r + MARGIN_PX, b: size.b + extra };
  if (layout.title?.text) layout.title.pad = { ...layout.title.pad, t: MARGIN_PX };
  for (const [name, axis] of Object.entries(chart._fullLayout)) {
    if (/^xaxis\d*$/.test(name) && axis.tickangle === "auto") layout[name] = { ...layout[name], tickangle: 0 };
  }
  Object.assign(layout, { updatemenus: [], sliders: [] }); // buttons do nothing on paper
  layout.annotations = [...(layout.annotations ?? []), {
    text: lines.map(escaped).join("<br>"), showarrow: false, align: "left", font: { size: CAPTION_PX, color: QUIET, family: FONT },
    xref: "paper", x: 0, xanchor: "left", xshift: 8 - size.l,
    yref: "paper", y: 0, yanchor: "top", yshift: -size.b,
  }];
  return Object.assign(layout, { paper_bgcolor: "#ffffff", plot_bgcolor: "#ffffff" });
}

/* Letters of the theme become dark; colours that the chart gives to an annotation or a line stay. */
function darken(layout) {
  if (!layout) return;
  layout.font = { ...layout.font, color: INK, family: FONT };
  for (const [name, part] of Object.entries(layout)) {
    if (!part || typeof part !== "object") continue;
    if (/^([xyz]axis\d*|legend\d*|title|coloraxis\d*|polar\d*|ternary\d*|scene\d*)$/.test(name)) inkFonts(part);
  }
}

function inkFonts(part) {
  for (const [name, value] of Object.entries(part)) {
    if (!value || typeof value !== "object") continue;
    if (/font$/.test(name)) Object.assign(value, { color: INK, family: FONT });
    else if (!Array.isArray(value)) inkFonts(value);
  }
}

/* What the chart shows, in words; written for screen readers, and as good under a picture. */
function caption(chart) {
  const described = chart.closest("[aria-label]")?.ariaLabel ?? "";
  const words = described || plain(chart.layout.title?.text) || "Chart";
  const day = new Date().toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" });
  return `${words.replace(/\.$/, "")}. Tc Studio, ${day}.`;
}

function wrap(text, most) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last && last.length + word.length + 1 > most) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

/* ---- data ---- */

function saveData(chart) {
  const url = URL.createObjectURL(new Blob([csv(chart)], { type: "text/csv;charset=utf-8" }));
  const link = Object.assign(document.createElement("a"), { href: url, download: `${fileName(chart)}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/* The table that the page gives with the chart. Without one, a line per point: the name of its series, its coordinates
 * under the titles of the axes, and its text; without bands and guide lines, which say nothing under the pointer. */
function csv(chart) {
  if (chart.layout.meta?.csv) return chart.layout.meta.csv;
  const drawn = chart._fullData.filter((trace) => trace.visible === true);
  const named = drawn.filter((trace) => trace.hoverinfo !== "skip");
  const traces = named.length ? named : drawn;
  const kinds = ["x", "y", "z", "a", "b", "c"].filter((name) => traces.some((trace) => isList(trace[name])));
  const texts = traces.some((trace) => isList(trace.text) || isList(trace.hovertext));
  const lines = [["series", ...kinds.map((kind) => axisTitle(chart, kind)), ...(texts ? ["text"] : [])]];
  for (const trace of traces) {
    const lists = kinds.map((kind) => (isList(trace[kind]) ? trace[kind] : []));
    const words = [trace.text, trace.hovertext].find(isList) ?? [];
    for (let place = 0; place < Math.max(...lists.map((list) => list.length)); place++) {
      const point = lists.map((list, kind) => labelled(chart, trace, kinds[kind], list[place] ?? ""));
      if (point.every((value) => value === "")) continue; // the gap between two pieces of a line
      lines.push([plain(trace._input?.name), ...point, ...(texts ? [plain(words[place] ?? "")] : [])]);
    }
  }
  return `${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
}

function isList(value) {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/* A place on an axis with written labels is its label. */
function labelled(chart, trace, kind, value) {
  const axis = chart._fullLayout[(trace[`${kind}axis`] ?? kind).replace(/^([xyz])/, "$1axis")];
  const place = axis?.tickmode === "array" && axis.type !== "log" ? Array.from(axis.tickvals ?? []).indexOf(value) : -1;
  return place >= 0 && axis.ticktext?.[place] ? plain(axis.ticktext[place]) : value;
}

function axisTitle(chart, kind) {
  const { layout, _fullLayout: full } = chart;
  const axis = full[`${kind}axis`] ?? full.ternary?.[`${kind}axis`] ?? full.scene?.[`${kind}axis`];
  const title = plain(axis?.title?.text);
  if (title && !/^Click to enter/.test(title)) return title;
  return kind === "y" ? plain(layout.title?.text) || kind : kind;
}

/* A spreadsheet takes a text that begins with = + - or @ for a formula. */
function cell(value) {
  if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : "";
  const text = /^[=+\-@\t]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/* ---- text ---- */

function plain(markup) {
  const spaced = String(markup ?? "").replace(/<br\s*\/?>/gi, " ");
  return new DOMParser().parseFromString(spaced, "text/html").body.textContent.trim();
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function fileName(chart) {
  const words = chart.closest("[aria-label]")?.ariaLabel || plain(chart.layout.title?.text) || "chart";
  const slug = words.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const whole = slug.length > MOST_SLUG ? slug.slice(0, MOST_SLUG).replace(/-[^-]*$/, "") : slug; // words, not pieces
  return `tc-studio-${whole.replace(/^-|-$/g, "")}`;
}
