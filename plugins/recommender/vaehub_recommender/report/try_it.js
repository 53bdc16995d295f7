(() => {
  "use strict";
  const script = document.currentScript, card = script.closest(".card");
  const data = JSON.parse(script.previousElementSibling.textContent);
  const [input, options, chosen, status, list] = ["input", "datalist", ".chosen", "[role=status]", "ol"].map((part) => card.querySelector(part));
  const place = new Map(data.names.map((name, at) => [name.toLowerCase(), at]));
  const history = new Set();
  let weights = null;

  // starts (I + 1) uint32, values (n) int16 and columns (n) uint16 of the rows of B, little-endian, deflated, base64
  async function unpacked() {
    const bytes = Uint8Array.from(atob(data.weights), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const buffer = await new Response(stream).arrayBuffer();
    const starts = new Uint32Array(buffer, 0, data.names.length + 1), count = starts[data.names.length];
    const values = new Int16Array(buffer, starts.byteLength, count);
    return { starts, values, columns: new Uint16Array(buffer, starts.byteLength + values.byteLength, count) };
  }

  function element(kind, text) {
    const made = document.createElement(kind);
    made.textContent = text;
    return made;
  }

  async function show() {
    weights = weights || (await unpacked());
    const scores = new Float64Array(data.names.length);
    for (const at of history) {
      for (let cell = weights.starts[at]; cell < weights.starts[at + 1]; cell++) scores[weights.columns[cell]] += weights.values[cell];
    }
    const order = [...scores.keys()].filter((at) => !history.has(at)).sort((a, b) => scores[b] - scores[a] || a - b);
    const best = history.size ? order.slice(0, data.k) : [];
    list.replaceChildren(...best.map((at) => element("li", `${data.names[at]} (${(scores[at] * data.scale).toFixed(3)})`)));
    chosen.replaceChildren(...[...history].map((at) => {
      const button = element("button", `${data.names[at]} ×`);
      button.type = "button";
      button.title = "Take it out of the history";
      button.addEventListener("click", () => { history.delete(at); show(); });
      return button;
    }));
    status.textContent = history.size ? `The ${best.length} best for a history of ${history.size}:` : "Nothing chosen yet.";
  }

  function add(name) {
    const wanted = name.trim().toLowerCase();
    const at = place.get(wanted);
    if (at === undefined) {
      if (wanted) status.textContent = `No item is called ${name.trim()}.`;
      return;
    }
    history.add(at);
    input.value = "";
    show();
  }

  function fromAddress() { // #items=first,second with each name as encodeURIComponent writes it
    const found = /^#items=(.*)$/.exec(location.hash);
    if (!found) return;
    history.clear();
    for (const name of found[1].split(",")) add(decodeURIComponent(name));
    card.scrollIntoView();
  }

  options.replaceChildren(...data.names.map((name) => Object.assign(document.createElement("option"), { value: name })));
  input.addEventListener("change", () => add(input.value));
  addEventListener("hashchange", fromAddress);
  fromAddress();
})();
