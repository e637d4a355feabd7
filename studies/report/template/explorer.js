"use strict";
(() => {
  const section = document.getElementById("explore");
  if (!section) return;
  const all = JSON.parse(document.getElementById("numbers").textContent);
  const form = section.querySelector("form"), panels = section.querySelector(".panels"), note = section.querySelector(".drawn");
  const axes = Object.keys(all.axes), last = all.fractions.length - 1;
  const LANDSCAPE = "landscape", MOST = 40, POINT = 1.6;
  let hidden = new Set(), plots = [];
  section.hidden = false;

  // what can be chosen
  const fill = (name, options) => { for (const [value, text] of options) form.elements[name].add(new Option(text, value)); };
  const targets = Math.max(...all.arms.map((arm) => arm.hits.length));
  fill("y", Object.entries(all.quantities));
  fill("y", [...Array(targets).keys()].map((k) => [`hit ${k}`, `expected running time to target ${k + 1} (${all.hit_clock})`]));
  fill("x", Object.entries(all.clocks));
  fill("x", axes.map((axis) => [`axis ${axis}`, axis]));
  fill(LANDSCAPE, all.landscapes.map((name) => [name, name]));
  if (all.landscapes.length > 1) {
    fill("x", [[LANDSCAPE, LANDSCAPE]]);
    fill(LANDSCAPE, [["", "each in a panel of its own"]]);
  }
  axes.forEach((axis, k) => {
    const select = section.querySelector(`[name="axis ${k}"]`);
    select.add(new Option("all values", ""));
    all.axes[axis].forEach((value, place) => select.add(new Option(String(value), place)));
  });
  form.elements.at.max = form.elements.at.value = last;

  // a line: a name, the look of its optimizer, and at x between low and high the value
  const value = (name) => form.elements[name].value;
  const ofClock = () => value("x") in all.clocks, ofHits = () => value("y").startsWith("hit ");
  const chosen = (arm) => !hidden.has(arm.optimizer) && axes.every((_, k) => value(`axis ${k}`) === "" || arm.at[k] === null || arm.at[k] === +value(`axis ${k}`));
  const spread = ([low, first, middle, third, high]) => ({ "": [middle, middle, middle], interval: [low, middle, high], quartiles: [first, middle, third] })[value("spread")];
  const least = (arm) => all.losses.includes(value("y")) ? arm.least : 0; // a gap that is less counts as it on a logarithmic axis
  const alongClock = (arm) => {
    const numbers = arm.numbers[value("y")], times = arm.times[value("x")];
    if (!numbers || !times) return [];
    const parts = spread(numbers);
    return times.map((x, k) => ({ x, low: parts[0][k], y: parts[1][k], high: parts[2][k], least: least(arm) })).filter((point) => point.x !== null && point.y !== null);
  };
  const atEnd = (arm, x) => {
    const hit = ofHits() && arm.hits[+value("y").slice(4)], numbers = arm.numbers[value("y")];
    if (hit) return { x, y: hit[2], ...(value("spread") === "interval" ? { low: hit[1], high: hit[3] } : { low: hit[2], high: hit[2] }) };
    if (!numbers) return { x, y: null };
    const parts = spread(numbers), at = +value("at");
    return { x, low: parts[0][at], y: parts[1][at], high: parts[2][at], least: least(arm) };
  };
  const axisOf = () => axes.indexOf(value("x").slice(5));
  const numeric = (values) => values.every((one) => typeof one === "number");
  const alongAxis = (arms) => { // the arms that differ only along the axis are one line
    const across = value("x") === LANDSCAPE, k = axisOf(), values = across ? all.landscapes : all.axes[axes[k]], lines = new Map();
    for (const arm of arms) {
      const others = arm.at.map((place, one) => one === k ? null : place), key = JSON.stringify([arm.optimizer, others]);
      const words = others.flatMap((place, one) => place === null ? [] : [`${axes[one]} = ${all.axes[axes[one]][place]}`]);
      if (!lines.has(key)) lines.set(key, { name: [arm.optimizer, ...words].join(", "), optimizer: arm.optimizer, points: [] });
      const places = across ? [all.landscapes.indexOf(arm.landscape)] : arm.at[k] === null ? values.keys() : [arm.at[k]];
      for (const place of places) lines.get(key).points.push(atEnd(arm, numeric(values) ? values[place] : place));
    }
    return [...lines.values()].map((line) => ({ ...line, points: line.points.filter((point) => point.y !== null).sort((a, b) => a.x - b.x) }));
  };
  const linesOf = (arms) => {
    const lines = ofClock() ? arms.map((arm) => ({ name: arm.label, optimizer: arm.optimizer, points: alongClock(arm) })) : alongAxis(arms);
    const some = lines.filter((line) => line.points.length), own = {};
    for (const line of some) (own[line.optimizer] ??= []).push(line);
    for (const list of Object.values(own)) list.forEach((line, k) => { line.pale = list.length > 1 ? 60 * k / (list.length - 1) : 0; });
    return some;
  };

  // logarithmic where numbers are positive and span a factor of 30, until somebody says otherwise
  const wide = (numbers) => { const low = Math.min(...numbers), high = Math.max(...numbers); return low > 0 && high / low > 30; };
  const scaled = (every) => {
    const points = every.flatMap((panel) => panel.lines.flatMap((line) => line.points)), real = (n) => n.filter(Number.isFinite);
    form.elements.logx.checked = wide(real(points.map((point) => point.x)).filter((x) => x > 0 || !ofClock()));
    form.elements.logy.checked = wide(real(points.map((point) => Math.max(point.y, point.least ?? 0))).filter((y) => y > 0));
  };

  // drawing
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (line) => { const own = all.looks[line.optimizer].colour; return `color-mix(in srgb, ${own === "#000000" ? ink("--ink") : own}, ${ink("--paper")} ${line.pale}%)`; };
  const text = (x) => {
    if (x === null || x === undefined) return "–";
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
    const size = Math.abs(x), short = String(+x.toPrecision(4));
    const shown = size >= 1e7 || (size && size < 1e-3) ? x.toExponential(2).replace(/\.?0+e\+?/, "e") : size >= 1000 ? Math.round(x).toLocaleString("en-US") : short;
    return shown.replaceAll("-", "−");
  };
  const named = () => { const values = value("x") === LANDSCAPE ? all.landscapes : all.axes[axes[axisOf()]]; return !ofClock() && !numeric(values) ? values : null; };
  const said = (x) => named()?.[x] ?? text(x);
  const title = (name) => form.elements[name].selectedOptions[0].text;
  const drawn = (x, log, least = 0) => { const y = log ? Math.max(x, least) : x; return Number.isFinite(y) && x !== null && (!log || y > 0) ? y : null; };
  const data = (lines) => {
    const logx = form.elements.logx.checked, logy = form.elements.logy.checked;
    const xs = [...new Set(lines.flatMap((line) => line.points.map((point) => point.x)))].filter((x) => drawn(x, logx) !== null).sort((a, b) => a - b);
    const columns = [xs];
    for (const line of lines) {
      const at = new Map(line.points.map((point) => [point.x, point]));
      for (const part of ["low", "y", "high"]) columns.push(xs.map((x) => at.has(x) ? drawn(at.get(x)[part], logy, at.get(x).least) : undefined));
    }
    return columns;
  };
  const series = (lines) => [{}, ...lines.flatMap((line) => {
    const edge = { stroke: "transparent", width: 0, points: { show: false }, spanGaps: ofClock() };
    const stroke = colour(line);
    return [edge, { label: line.name, stroke, width: POINT, dash: all.looks[line.optimizer].dash, spanGaps: ofClock(), points: { show: line.points.length < 12, size: 6, fill: stroke } }, edge];
  })];
  const bands = (lines) => value("spread") === "" || lines.length > 8 ? [] : lines.map((line, k) => ({ series: [3 * k + 3, 3 * k + 1], fill: `color-mix(in srgb, ${colour(line)} 16%, transparent)` }));
  const marks = (most) => (_, __, low, high) => { // 1, 2 and 5 of few decades, every so many of many
    const first = Math.floor(Math.log10(low)), decades = Math.log10(high) - Math.log10(low), step = Math.ceil(decades / most);
    const powers = [...Array(Math.ceil(Math.log10(high)) - first + 1).keys()].map((k) => first + k).filter((k) => k % step === 0);
    const all = powers.flatMap((k) => (decades < 3 ? [1, 2, 5] : [1]).map((m) => m * 10 ** k)).filter((x) => x >= low && x <= high);
    return all.length > 1 ? all : [low, high];
  };
  const room = (log) => (_, low, high) => {
    if (low === null) return [log ? 1 : 0, log ? 10 : 1];
    const edge = log ? Math.max((high / low) ** 0.04, 1.1) : 0.04 * (high - low || Math.abs(high) || 1);
    return log ? [low / edge, high * edge] : [low - edge, high + edge];
  };
  const axisLook = (log, width) => ({ stroke: ink("--ink"), font: "12px system-ui", labelFont: "12px system-ui", labelSize: 20, grid: { stroke: ink("--rule"), width: 1 }, ticks: { stroke: ink("--rule"), width: 1, size: 5 }, ...(log ? { splits: marks(width / 90), filter: (_, splits) => splits } : {}) });
  const options = (lines, width, hook) => {
    const logx = form.elements.logx.checked, logy = form.elements.logy.checked;
    const values = (_, splits) => splits.map((x) => x === null ? "" : named() ? named()[x] ?? "" : text(x)), ups = (_, splits) => splits.map((y) => y === null ? "" : Math.abs(y) >= 1e5 ? y.toExponential().replace("e+", "e") : text(y));
    return {
      width, height: Math.round(Math.min(420, Math.max(240, 0.6 * width))), legend: { show: false }, cursor: { drag: { x: true, y: true, uni: 20 }, focus: { prox: 20 } }, focus: { alpha: 0.35 },
      scales: { x: { time: false, distr: logx ? 3 : 1, range: room(logx) }, y: { distr: logy ? 3 : 1, range: room(logy) } },
      axes: [{ ...axisLook(logx, width), label: title("x"), size: 32, values, ...(named() ? { splits: () => named().map((_, k) => k) } : {}) }, { ...axisLook(logy, 630), size: 58, values: ups }],
      series: series(lines), bands: bands(lines), hooks: { setCursor: [hook] },
    };
  };
  const panel = (one) => {
    const figure = document.createElement("figure"), head = document.createElement("figcaption"), plot = Object.assign(document.createElement("div"), { className: "plot" }), reader = document.createElement("label");
    const columns = data(one.lines), xs = columns[0], range = Object.assign(document.createElement("input"), { type: "range", min: 0, max: Math.max(0, xs.length - 1), value: xs.length - 1 });
    const table = document.createElement("table");
    head.append(Object.assign(document.createElement("b"), { textContent: one.name || title(LANDSCAPE) }), `: ${title("y")}`);
    reader.append("Values at ", Object.assign(document.createElement("output"), { ariaLive: "polite" }), range);
    figure.append(head, plot, reader, table);
    panels.append(figure);
    if (!xs.length) { plot.textContent = "No numbers here."; reader.hidden = true; return; }
    const read = (at) => {
      reader.querySelector("output").textContent = `${title("x")} ${said(xs[at])}`;
      table.replaceChildren(...one.lines.map((line, k) => {
        const row = document.createElement("tr"), head = document.createElement("th"), swatch = Object.assign(document.createElement("span"), { className: "swatch" });
        const before = line.points.filter((point) => point.x <= xs[at]), point = ofClock() ? before.at(-1) : before.find((one) => one.x === xs[at]);
        swatch.style.background = colour(line);
        head.scope = "row";
        head.append(swatch, line.name);
        const between = point && point.low !== point.high && !(point.high < point.least) ? `${text(point.low)} to ${text(point.high)}` : "";
        row.append(head, Object.assign(document.createElement("td"), { className: "number", textContent: point && point.y < point.least ? `≤ ${text(point.least)}` : text(point?.y) }), Object.assign(document.createElement("td"), { className: "number", textContent: between }));
        return row;
      }));
    };
    const made = new uPlot(options(one.lines, plot.clientWidth || 600, (self) => { if (self.cursor.idx !== null && self.cursor.idx !== undefined && self.cursor.left >= 0) { range.value = self.cursor.idx; read(self.cursor.idx); } }), columns, plot);
    range.addEventListener("input", () => {
      read(+range.value);
      made.setCursor({ left: made.valToPos(xs[+range.value], "x"), top: -10 }, false);
    });
    read(xs.length - 1);
    plots.push({ made, plot });
  };
  let shown = [];
  const draw = (anew) => {
    for (const { made } of plots) made.destroy();
    plots = [];
    panels.replaceChildren();
    const clock = ofClock(), across = value("x") === LANDSCAPE;
    if (clock && ofHits()) form.elements.y.value = Object.keys(all.quantities)[0];
    for (const option of form.elements.y.options) option.disabled = clock && option.value.startsWith("hit ");
    form.querySelector(".at").hidden = clock || ofHits();
    form.querySelector(".at output").textContent = `${text(100 * all.fractions[+value("at")])} %`;
    form.elements.landscape.parentElement.hidden = across;
    axes.forEach((axis, k) => { section.querySelector(`[name="axis ${k}"]`).parentElement.hidden = !clock && k === axisOf(); });
    const names = across ? [""] : value(LANDSCAPE) ? [value(LANDSCAPE)] : all.landscapes;
    const every = names.map((name) => ({ name: across ? "All landscapes" : name, lines: linesOf(all.arms.filter((arm) => chosen(arm) && (across || arm.landscape === name))) }));
    const most = Math.max(...every.map((one) => one.lines.length));
    note.textContent = most > MOST ? `The first ${MOST} of ${most} lines: choose values of axes, or hide optimizers.` : "";
    shown = every.map((one) => ({ ...one, lines: one.lines.slice(0, MOST) })).filter((one) => one.lines.length || every.length === 1);
    panels.classList.toggle("several", shown.length > 1);
    if (anew) scaled(shown);
    shown.forEach(panel);
  };
  const file = () => {
    const quoted = (cell) => /[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell, plain = (x) => x === Infinity ? "inf" : x === -Infinity ? "-inf" : x ?? "";
    const rows = shown.flatMap((one) => one.lines.flatMap((line) => line.points.map((point) => [one.name, line.name, named()?.[point.x] ?? point.x, plain(point.low), plain(point.y), plain(point.high)])));
    return [["landscape", "line", title("x"), "low", title("y"), "high"], ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => draw(!["logx", "logy"].includes(event.target.name)));
  section.querySelector(".csv").addEventListener("click", () => {
    const link = Object.assign(document.createElement("a"), { download: "explored.csv", href: URL.createObjectURL(new Blob([file()], { type: "text/csv" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  document.addEventListener("hidden", (event) => { hidden = event.detail; draw(true); });
  document.getElementById("theme").addEventListener("click", () => draw(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(false));
  addEventListener("resize", () => { for (const { made, plot } of plots) if (plot.clientWidth !== made.width) made.setSize({ width: plot.clientWidth, height: made.height }); });
  draw(true);
})();
