"use strict";
(() => {
  // the vertical axes of figures follow the arms that are shown; panels of one scale keep one
  const NS = "http://www.w3.org/2000/svg", FREE = 0.06, MOST = 25;
  const ways = { log: [Math.log10, (x) => 10 ** x], linear: [(x) => x, (x) => x] };
  const box = (axes) => axes.dataset.box.split(" ").map(Number);
  const firsts = new WeakMap(); // part -> its attributes as they were drawn
  const first = (part, name) => {
    if (!firsts.has(part)) firsts.set(part, {});
    return (firsts.get(part)[name] ??= part.getAttribute(name));
  };

  // what is drawn goes from y to a y + b, in points of the picture
  const shifted = (d, a, b, from) => {
    let upright = false;
    return d.replace(/-?[\d.]+(?:e-?\d+)?/g, (x) => { upright = !upright; return upright ? x : (a * (+x + from) + b - from).toFixed(2); });
  };
  const move = (part, axes, a, b) => {
    const [, top, , height] = box(axes);
    if (part.dataset.up === "text") {
      part.removeAttribute("transform");
      const own = part.getBBox(), y = own.y + own.height / 2, to = a * y + b;
      part.setAttribute("transform", `translate(0 ${(to - y).toFixed(2)})`);
      part.style.visibility = to < top - 1 || to > top + height + 1 ? "hidden" : "";
      return;
    }
    const area = part.dataset.up === "area", starts = new Map();
    for (const use of part.querySelectorAll("use")) {
      if (area) starts.set(use.getAttribute("href").slice(1), +use.getAttribute("y"));
      else use.setAttribute("y", (a * +first(use, "y") + b).toFixed(2));
    }
    for (const path of part.querySelectorAll("path")) {
      if (path.closest("defs") && !area) continue; // a marker
      path.setAttribute("d", shifted(first(path, "d"), a, b, starts.get(path.id) ?? 0));
    }
  };

  // numbers along an axis
  const raised = (power) => "10" + [...String(power)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");
  const even = (low, high) => {
    const size = 10 ** Math.floor(Math.log10((high - low) / 3)), step = size * [5, 2, 1].find((k) => (high - low) / (k * size) >= 3);
    const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), ticks = [];
    for (let k = Math.ceil(low / step); k * step <= high; k++) ticks.push([k * step, Math.abs(k * step) < 1e5 && places < 5 ? (k * step).toFixed(places) : (k * step).toPrecision(2)]);
    return ticks;
  };
  const ticks = (kind, low, high) => {
    if (kind !== "log") return even(low, high);
    const from = Math.ceil(Math.log10(low) - 1e-9), to = Math.floor(Math.log10(high) + 1e-9), every = Math.ceil((to - from + 1) / 6), powers = [];
    for (let k = from; k <= to; k += every) powers.push([10 ** k, raised(k)]);
    if (powers.length > 1) return powers;
    const some = [];
    for (let k = from - 1; k <= to + 1; k++) for (const m of [1, 2, 5]) if (m * 10 ** k >= low && m * 10 ** k <= high) some.push([m * 10 ** k, Math.abs(k) < 4 ? String(+(m * 10 ** k).toPrecision(1)) : `${m}×${raised(k)}`]);
    return some.length > 1 ? some : even(low, high);
  };
  const number = (axes, kind, low, high) => {
    axes.querySelector(".anew")?.remove();
    if (kind === null) return;
    const [left, top, width, height] = box(axes), go = ways[kind][0], group = axes.insertBefore(document.createElementNS(NS, "g"), axes.children[1]); // below all curves
    group.setAttribute("class", "anew");
    for (const [value, text] of ticks(kind, low, high)) {
      const y = top + height * (1 - (go(value) - go(low)) / (go(high) - go(low)));
      const rule = group.appendChild(document.createElementNS(NS, "path"));
      rule.setAttribute("class", "rule"); rule.setAttribute("d", `M ${left} ${y} H ${left + width}`);
      const line = group.appendChild(document.createElementNS(NS, "path")), label = group.appendChild(document.createElementNS(NS, "text"));
      line.setAttribute("d", `M ${left - 3.5} ${y} H ${left}`);
      label.setAttribute("x", left - 6); label.setAttribute("y", y + 2.5); label.textContent = text.replace("-", "−");
    }
  };

  const rescale = (panels) => {
    const [kind, low, high] = first(panels[0], "data-y-scale").split(" "), [go, back] = ways[kind];
    for (const axes of panels) {
      first(axes, "data-y-scale");
      for (const part of axes.querySelectorAll("[data-up]")) move(part, axes, 1, 0);
    }
    let least = 1, most = 0; // of the height, from above
    for (const axes of panels) {
      const [, top, , height] = box(axes);
      for (const arm of axes.querySelectorAll(".arm[data-up]:not(.off)")) {
        const own = arm.getBBox();
        if (!own.width && !own.height) continue;
        least = Math.min(least, Math.max(0, (own.y - top) / height));
        most = Math.max(most, Math.min(1, (own.y + own.height - top) / height));
      }
    }
    const hides = panels.some((axes) => axes.querySelector(".arm.off[data-up]")), size = Math.max(most - least, 1 / MOST);
    const anew = hides && most >= least;
    const a = anew ? (1 - 2 * FREE) / size : 1, middle = (least + most) / 2;
    const ends = [go(+low), go(+high)], at = (share) => back(ends[1] - (middle + (share - 0.5) / a) * (ends[1] - ends[0]));
    for (const axes of panels) {
      const [, top, , height] = box(axes), b = anew ? top + height / 2 - a * (top + height * middle) : 0;
      for (const part of axes.querySelectorAll("[data-up]")) move(part, axes, a, b);
      axes.classList.toggle("rescaled", anew);
      axes.dataset.yScale = anew ? `${kind} ${at(1)} ${at(0)}` : first(axes, "data-y-scale");
      number(axes, anew ? kind : null, at(1), at(0));
    }
  };

  document.addEventListener("hidden", () => {
    for (const picture of document.querySelectorAll(".picture svg")) {
      const together = new Map();
      for (const axes of picture.querySelectorAll(".axes[data-rescales]")) {
        const scale = first(axes, "data-y-scale");
        together.set(scale, [...(together.get(scale) ?? []), axes]);
      }
      for (const panels of together.values()) rescale(panels);
    }
  });
})();
