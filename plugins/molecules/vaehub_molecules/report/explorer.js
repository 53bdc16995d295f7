(() => {
  "use strict";
  const script = document.currentScript, card = script.closest(".card");
  const data = JSON.parse(script.previousElementSibling.textContent);
  const part = (selector) => card.querySelector(selector);
  const grid = part(".cards"), scroll = part(".scroll"), status = part("[role=status]"), ranges = part(".ranges");
  const [sort, descending, has, lacks, clean] = [".sort", ".descending", ".with", ".without", ".clean"].map(part);
  const figures = [...grid.querySelectorAll(".hit")];
  const at = (name) => data.head.indexOf(name);
  const list = (cell) => (cell ? cell.split("; ") : []);
  const groups = data.rows.map((row) => new Set(list(row[at("groups")])));
  const selected = new Set();
  let shown = data.rows.map((_, place) => place);

  function element(kind, text, settings = {}) {
    return Object.assign(document.createElement(kind), { textContent: text }, settings);
  }

  function fill() {
    sort.append(element("option", "place", { value: "" }), ...data.numeric.map((column) => element("option", data.labels[column], { value: column })));
    const count = new Map();
    for (const names of groups) for (const name of names) count.set(name, (count.get(name) || 0) + 1);
    for (const choice of [has, lacks]) {
      choice.append(element("option", "any", { value: "" }));
      for (const name of [...count.keys()].sort()) choice.append(element("option", `${name} (${count.get(name)})`, { value: name }));
    }
    for (const column of data.numeric) {
      const values = data.rows.map((row) => row[column]).filter((value) => value !== null);
      const line = element("div", "", { className: "range" });
      line.append(element("span", data.labels[column], { title: data.labels[column] }));
      for (const [end, value] of [["least", Math.min(...values)], ["most", Math.max(...values)]]) {
        const input = element("input", "", { type: "number", step: "any", placeholder: value });
        input.setAttribute("aria-label", `${data.labels[column]}, at ${end}`);
        Object.assign(input.dataset, { column, end });
        line.append(input);
      }
      ranges.append(line);
    }
  }

  function passes(place) {
    const row = data.rows[place];
    if (has.value && !groups[place].has(has.value)) return false;
    if (lacks.value && groups[place].has(lacks.value)) return false;
    if (clean.checked && row[at("alerts")]) return false;
    return [...ranges.querySelectorAll("input")].every((input) => {
      if (input.value === "") return true;
      const value = row[input.dataset.column], limit = Number(input.value);
      return value !== null && (input.dataset.end === "least" ? value >= limit : value <= limit);
    });
  }

  function show() {
    const column = sort.value, sign = descending.checked ? -1 : 1;
    const order = data.rows.map((_, place) => place);
    if (column !== "") {
      order.sort((a, b) => {
        const [one, two] = [data.rows[a][column], data.rows[b][column]];
        if (one === null || two === null) return (one === null) - (two === null);
        return sign * (one - two) || a - b;
      });
    } else if (descending.checked) order.reverse();
    shown = order.filter(passes);
    const visible = new Set(shown);
    for (const place of order) {
      figures[place].hidden = !visible.has(place);
      grid.append(figures[place]);
    }
    for (const figure of figures) figure.tabIndex = -1;
    if (shown.length) figures[shown[0]].tabIndex = 0;
    if (!scroll.hidden) table();
    count();
  }

  function count() {
    status.textContent = `${shown.length} of ${data.rows.length} shown, ${selected.size} selected`;
  }

  function select(place, on) {
    if (on) selected.add(place);
    else selected.delete(place);
    figures[place].classList.toggle("selected", on);
    figures[place].querySelector("input").checked = on;
    const row = scroll.querySelector(`tr[data-at="${place}"]`);
    if (row) {
      row.classList.toggle("selected", on);
      row.querySelector("input").checked = on;
    }
    count();
  }

  function table() {
    const head = element("tr", "");
    head.append(element("th", "", { scope: "col" }));
    data.labels.forEach((label, column) => {
      const cell = element("th", "", { scope: "col" });
      if (data.numeric.includes(column)) {
        const active = sort.value === String(column);
        const button = element("button", label + (active ? (descending.checked ? " ↓" : " ↑") : ""), { type: "button" });
        button.addEventListener("click", () => {
          descending.checked = active ? !descending.checked : true;
          sort.value = String(column);
          show();
          scroll.querySelectorAll("th")[column + 1].querySelector("button").focus();
        });
        cell.append(button);
        if (active) cell.setAttribute("aria-sort", descending.checked ? "descending" : "ascending");
      } else cell.textContent = label;
      head.append(cell);
    });
    scroll.querySelector("thead").replaceChildren(head);
    scroll.querySelector("tbody").replaceChildren(...shown.map((place) => {
      const row = element("tr", "", { className: selected.has(place) ? "selected" : "" }), first = element("th", "", { scope: "row" });
      row.dataset.at = place;
      const box = element("input", "", { type: "checkbox", checked: selected.has(place) });
      box.setAttribute("aria-label", `Select ${data.rows[place][at("name")]}`);
      first.append(box);
      row.append(first, ...data.rows[place].map((value) => {
        const text = typeof value === "string";
        return element("td", value === null ? "" : value, { className: text ? "text" : "", title: text ? value : "" });
      }));
      return row;
    }));
  }

  const chosen = () => (selected.size ? data.rows.map((_, place) => place).filter((place) => selected.has(place)) : shown);

  function copy(text, what) {
    const done = () => (status.textContent = `copied ${what}`);
    const byHand = () => {
      const area = element("textarea", "", { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      done();
    };
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(done, byHand);
    else byHand();
  }

  function save(name, text, kind) {
    const link = element("a", "", { href: URL.createObjectURL(new Blob([text], { type: kind })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    status.textContent = `${chosen().length} molecules saved as ${name}`;
  }

  function csv() {
    const cell = (value) => (value === null ? "" : /[",\n]/.test(value) ? `"${String(value).replace(/"/g, '""')}"` : value);
    return [data.head, ...chosen().map((place) => data.rows[place])].map((row) => row.map(cell).join(",")).join("\n") + "\n";
  }

  function sdf() {
    return chosen().map((place) => {
      const lines = data.head.map((name, column) => `>  <${name}>\n${data.rows[place][column] ?? ""}\n`);
      return `${data.blocks[place]}${lines.join("\n")}\n$$$$\n`;
    }).join("");
  }

  const smilesOf = (place) => data.rows[place][at("smiles")];

  function step(figure, key) {
    const visible = shown.map((place) => figures[place]), here = visible.indexOf(figure);
    const wide = Math.max(1, visible.filter((other) => other.offsetTop === visible[0].offsetTop).length);
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide, Home: -here, End: visible.length - 1 - here };
    const next = visible[here + moves[key]];
    if (next) {
      figure.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  }

  grid.addEventListener("keydown", (event) => {
    const figure = event.target;
    if (!figure.classList.contains("hit") || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = Number(figure.dataset.at);
    if (/^(Arrow|Home|End)/.test(event.key)) step(figure, event.key);
    else if (event.key === " ") select(place, !selected.has(place));
    else if (event.key.toLowerCase() === "c") copy(smilesOf(place), smilesOf(place));
    else if (event.key === "Enter") figure.querySelector("details").toggleAttribute("open");
    else return;
    event.preventDefault();
  });
  card.addEventListener("keydown", (event) => {
    if (event.key !== "/" || /INPUT|SELECT/.test(event.target.tagName)) return;
    sort.focus();
    event.preventDefault();
  });
  grid.addEventListener("change", (event) => select(Number(event.target.closest(".hit").dataset.at), event.target.checked));
  grid.addEventListener("click", (event) => {
    if (!event.target.classList.contains("copy")) return;
    const text = smilesOf(Number(event.target.closest(".hit").dataset.at));
    copy(text, text);
  });
  scroll.addEventListener("change", (event) => select(Number(event.target.closest("tr").dataset.at), event.target.checked));
  for (const control of [sort, descending, has, lacks, clean]) control.addEventListener("change", show);
  ranges.addEventListener("input", show);
  part(".view").addEventListener("click", (event) => {
    scroll.hidden = !scroll.hidden;
    grid.hidden = !scroll.hidden;
    event.target.textContent = scroll.hidden ? "As a table" : "As cards";
    if (!scroll.hidden) table();
  });
  part(".all").addEventListener("click", () => shown.forEach((place) => select(place, true)));
  part(".none").addEventListener("click", () => [...selected].forEach((place) => select(place, false)));
  part(".smiles").addEventListener("click", () => copy(chosen().map(smilesOf).join("\n"), `${chosen().length} SMILES`));
  part(".csv").addEventListener("click", () => save("selection.csv", csv(), "text/csv"));
  part(".sdf").addEventListener("click", () => save("selection.sdf", sdf(), "chemical/x-mdl-sdfile"));
  part(".reset").addEventListener("click", () => {
    for (const choice of [sort, has, lacks]) choice.value = "";
    for (const box of [descending, clean]) box.checked = false;
    for (const input of ranges.querySelectorAll("input")) input.value = "";
    show();
  });
  fill();
  show();
})();
