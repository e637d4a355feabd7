"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // light and dark
  const keep = { get: () => { try { return localStorage.getItem("theme"); } catch { return null; } }, set: (v) => { try { localStorage.setItem("theme", v); } catch { /* a page from a file may keep nothing */ } } };
  if (keep.get()) root.dataset.theme = keep.get();
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    keep.set(root.dataset.theme);
  });

  // a page of a study that runs is loaded again, unless somebody types
  const again = document.querySelector("[data-again]")?.dataset.again;
  if (again) setInterval(() => { if (!document.activeElement?.matches("input, select")) location.reload(); }, 1000 * again);

  // optimizers and arms that are hidden
  const hidden = { optimizer: new Set(), arm: new Set() };
  const show = () => {
    for (const part of document.querySelectorAll("[data-arm]")) {
      part.classList.toggle("off", hidden.optimizer.has(part.dataset.optimizer) || hidden.arm.has(part.dataset.arm));
    }
    for (const cell of document.querySelectorAll(".matrix [data-optimizer]")) cell.classList.toggle("away", hidden.optimizer.has(cell.dataset.optimizer));
    for (const row of document.querySelectorAll(".sortable tbody tr")) {
      row.classList.toggle("away", [...row.cells].some((cell) => hidden.optimizer.has(cell.textContent)));
    }
    for (const button of document.querySelectorAll(".optimizers button")) {
      button.setAttribute("aria-pressed", String(!hidden.optimizer.has(button.dataset.optimizer)));
    }
    document.dispatchEvent(new CustomEvent("hidden", { detail: hidden.optimizer }));
  };
  const toggle = (set, name) => { if (!set.delete(name)) set.add(name); show(); };
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".optimizers button");
    if (button) toggle(hidden.optimizer, button.dataset.optimizer);
    const key = event.target.closest(".key");
    if (key) toggle(...(key.dataset.arm === key.dataset.optimizer ? [hidden.optimizer, key.dataset.optimizer] : [hidden.arm, key.dataset.arm]));
  });

  // rows of a table that have all these words
  document.addEventListener("input", (event) => {
    const table = event.target.closest(".filter")?.nextElementSibling;
    if (!table) return;
    const words = event.target.value.toLowerCase().split(/\s+/);
    for (const row of table.querySelectorAll("tbody tr")) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
  });

  // values under the pointer
  for (const title of document.querySelectorAll(".arm > title")) title.remove();
  const value = document.getElementById("value");
  const scale = (text) => {
    const [kind, low, high] = text.split(" ");
    const of = kind === "log" ? Math.log10 : (x) => x;
    return (x) => (of(x) - of(+low)) / (of(+high) - of(+low));
  };
  const nearest = (axes, x, y) => {
    const [left, top, width, height] = axes.dataset.box.split(" ").map(Number);
    if (x < left - 4 || x > left + width + 4 || y < top - 4 || y > top + height + 4) return null;
    const across = scale(axes.dataset.xScale), up = scale(axes.dataset.yScale);
    let best = { distance: 14 };
    for (const arm of axes.querySelectorAll(".arm[data-x]:not(.off)")) {
      const xs = arm.dataset.x.split(" "), ys = arm.dataset.y.split(" ");
      xs.forEach((at, k) => {
        const px = left + across(+at) * width, py = top + (1 - up(+ys[k])) * height;
        const distance = Math.hypot(px - x, py - y);
        if (distance < best.distance) best = { distance, arm: arm.dataset.arm, x: at, y: ys[k] };
      });
    }
    return best.arm ? `${best.arm}\n${axes.dataset.xName}: ${best.x}\n${axes.dataset.yName}: ${best.y}` : null;
  };
  document.addEventListener("pointermove", (event) => {
    const svg = event.target.closest?.(".picture svg");
    let text = null;
    if (svg) {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      for (const axes of svg.querySelectorAll(".axes")) text = text ?? nearest(axes, at.x, at.y);
    }
    value.hidden = text === null;
    if (text !== null) {
      value.textContent = text;
      value.style.left = `${Math.min(event.clientX + 14, innerWidth - value.offsetWidth - 8)}px`;
      value.style.top = `${Math.min(event.clientY + 14, innerHeight - value.offsetHeight - 8)}px`;
    }
  });
})();
