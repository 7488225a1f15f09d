// The filter of the item browser. Without this script every item is listed.
"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const items = [...document.querySelectorAll("#items > details")].map((element) => ({
    element,
    outcomes: element.dataset.outcomes.split(" "),
    text: element.textContent.toLowerCase(),
    perMetric: element.querySelectorAll("summary [data-metric]"),
  }));
  const metric = form.elements.metric;
  const outcome = form.elements.outcome;
  const text = form.elements.text;
  const output = form.querySelector("output");

  const apply = () => {
    const chosen = metric ? metric.value : "0";
    const wanted = outcome ? outcome.value : "";
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const fits = (!wanted || item.outcomes[Number(chosen)] === wanted) && words.every((w) => item.text.includes(w));
      item.element.hidden = !fits;
      shown += fits ? 1 : 0;
      for (const part of item.perMetric) part.hidden = part.dataset.metric !== chosen;
    }
    output.textContent = `${shown} of ${items.length}`;
  };

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply(); // a browser may have kept earlier choices
})();
