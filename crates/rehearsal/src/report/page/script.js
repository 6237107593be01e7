// What a chart says at the pointer. The page is complete without it.
"use strict";
for (const plot of document.querySelectorAll(".plot")) {
  const moments = plot.dataset.moments.split("|");
  const width = Number(plot.dataset.width);
  const series = [...plot.querySelectorAll("g[data-name]")].map((group) => ({
    name: group.dataset.name,
    values: group.dataset.values.split("|"),
  }));
  const cross = document.createElement("div");
  const tip = document.createElement("div");
  cross.className = "cross";
  tip.className = "tip";

  const show = (event) => {
    const box = plot.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    const at = Math.min(Math.floor(share / width), moments.length - 1);
    const left = Math.min(at * width, 1);
    const middle = 100 * (left + Math.min(left + width, 1)) / 2;
    const head = document.createElement("b");
    head.textContent = moments[at];
    tip.replaceChildren(head);
    for (const { name, values } of series) {
      const line = document.createElement("div");
      line.textContent = `${values[at]} ${name}`;
      tip.append(line);
    }
    cross.style.left = `${middle}%`;
    tip.style.left = `${middle}%`;
    tip.style.transform = middle > 50 ? "translateX(calc(-100% - 10px))" : "translateX(10px)";
    plot.append(cross, tip);
  };
  const hide = () => {
    cross.remove();
    tip.remove();
  };
  plot.addEventListener("pointermove", show);
  plot.addEventListener("pointerdown", show);
  plot.addEventListener("pointerleave", hide);
}

// Paper cannot be unfolded.
addEventListener("beforeprint", () => {
  for (const violation of document.querySelectorAll("details")) {
    violation.open = true;
  }
});
