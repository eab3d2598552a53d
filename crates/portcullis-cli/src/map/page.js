"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const map = document.getElementById("map");
  const canvas = map.querySelector("canvas");
  const tip = document.getElementById("tip");
  const here = document.getElementById("here");
  const columns = canvas.width;
  const rows = canvas.height;
  const width = data.v6 ? 128 : 32;

  // For each turn of the curve its four quarters in order: column, row, turn inside.
  const quarters = [
    [[0, 0, 1], [0, 1, 0], [1, 1, 0], [1, 0, 2]],
    [[0, 0, 0], [1, 0, 1], [1, 1, 1], [0, 1, 3]],
    [[1, 1, 3], [0, 1, 2], [0, 0, 2], [1, 0, 0]],
    [[1, 1, 2], [1, 0, 3], [0, 0, 3], [0, 1, 1]],
  ];
  const point = (cell) => {
    let x = 0;
    let y = 0;
    let turn = data.turn;
    for (let level = data.order - 1; level >= 0; level--) {
      const quarter = quarters[turn][((data.first + cell) >> (2 * level)) & 3];
      x = 2 * x + quarter[0];
      y = 2 * y + quarter[1];
      turn = quarter[2];
    }
    return [x - data.origin[0], y - data.origin[1]];
  };
  const colors = data.classes.map((entry) => parseInt(entry[1], 16));

  // Lay out the runs: which cell is where, and where each run starts.
  const starts = [];
  const cells = new Uint32Array(columns * rows);
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  let next = 0;
  for (const run of data.runs) {
    starts.push(next);
    const color = Array.isArray(run[1]) ? parseInt(run[2], 16) : colors[run[1]];
    for (let i = 0; i < run[0]; i++, next++) {
      const [x, y] = point(next);
      const at = y * columns + x;
      cells[at] = next;
      image.data.set([color >> 16, (color >> 8) & 255, color & 255, 255], 4 * at);
    }
  }
  context.putImageData(image, 0, 0);

  const runOf = (cell) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= cell) low = middle;
      else high = middle;
    }
    return low;
  };

  const text4 = (bits) => [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".");
  const text6 = (bits) => {
    const groups = [];
    for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(Number((bits >> shift) & 65535n));
    let best = [0, 0];
    for (let from = 0; from < 8; from++) {
      let to = from;
      while (to < 8 && groups[to] === 0) to++;
      if (to - from > best[1] - best[0]) best = [from, to];
    }
    const hex = (list) => list.map((group) => group.toString(16)).join(":");
    if (best[1] - best[0] < 2) return hex(groups);
    return hex(groups.slice(0, best[0])) + "::" + hex(groups.slice(best[1]));
  };
  const network = BigInt(data.network);
  const shift = BigInt(width - data.cell);
  const amount = (bits) =>
    bits < 50 ? (2n ** BigInt(bits)).toLocaleString("en-US") : "2^" + bits;

  // The widest prefix around a cell whose cells are all of its run.
  const prefixOf = (cell, run) => {
    const index = runOf(cell);
    const from = starts[index] + data.first;
    const to = from + run[0];
    let start = cell + data.first;
    let log = 0;
    for (;;) {
      const size = 2 ** (log + 1);
      const wider = Math.floor(start / size) * size;
      if (wider < from || wider + size > to) break;
      start = wider;
      log++;
    }
    const bits = network + (BigInt(start - data.first) << shift);
    return { start: start - data.first, log, text: (data.v6 ? text6 : text4)(bits) + "/" + (data.cell - log) };
  };

  const why = (index) => {
    const [decision, statement, prefix, line, column] = data.decisions[index];
    if (statement === undefined) return decision + ": no statement matches";
    if (prefix === 0) return `${decision}: ${data.statements[statement]}, by several of its prefixes`;
    const matched = prefix === undefined ? "" : `, from ${prefix} (line ${line}, column ${column})`;
    return decision + ": " + data.statements[statement] + matched;
  };

  const element = (name, content) => {
    const made = document.createElement(name);
    made.textContent = content;
    return made;
  };
  const swatch = (index) => {
    const made = document.createElement("i");
    made.style.background = "#" + data.classes[index][1];
    return made;
  };

  let shown = -1;
  const show = (cell) => {
    const run = data.runs[runOf(cell)];
    const prefix = prefixOf(cell, run);
    const [x, y] = point(cell);
    shown = cell;
    tip.replaceChildren(element("b", prefix.text));
    const mixed = Array.isArray(run[1]);
    const bits = width - data.cell + prefix.log;
    const counts = mixed ? run[1] : data.classes.map((_, index) => (index === run[1] ? amount(bits) : "0"));
    counts.slice(0, data.classes.length).forEach((count, index) => {
      if (count === "0") return;
      const line = element("p", "");
      line.append(swatch(index), `${data.classes[index][0]}, ${count} address${count === "1" ? "" : "es"}`);
      tip.append(line);
    });
    const tell = (name, now, before) => {
      if (before !== undefined) {
        tip.append(element("div", `${name}before: ${why(before)}`), element("div", `${name}now: ${why(now)}`));
      } else if (now !== undefined) tip.append(element("div", name + why(now)));
    };
    const decided = run.slice(mixed ? 3 : 2);
    if (Array.isArray(decided[0])) {
      for (const [name, now, before] of decided[0]) tell(name + ", ", now, before);
    } else tell("", ...decided);
    if (mixed) tip.append(element("div", `--prefix ${prefix.text} draws the inside`));
    // A frame around the prefix: from the corners of all its cells, or of its two halves.
    const count = 2 ** prefix.log;
    const side = 2 ** Math.floor(prefix.log / 2);
    const corner = (at) => point(at).map((v, i) => Math.floor((v + data.origin[i]) / side) * side - data.origin[i]);
    const [a, b] = [corner(prefix.start), corner(prefix.start + (prefix.log % 2 ? count / 2 : 0))];
    const scale = map.clientWidth / columns;
    here.style.left = Math.min(a[0], b[0]) * scale + "px";
    here.style.top = Math.min(a[1], b[1]) * scale + "px";
    here.style.width = (Math.abs(a[0] - b[0]) + side) * scale + "px";
    here.style.height = (Math.abs(a[1] - b[1]) + side) * scale + "px";
    here.hidden = tip.hidden = false;
    const right = (x + 1) * scale + 14;
    tip.style.left = Math.max(0, Math.min(right, map.clientWidth - tip.offsetWidth)) + "px";
    const below = (y + 1) * scale + 14;
    const fits = below + tip.offsetHeight <= map.clientHeight;
    tip.style.top = (fits ? below : Math.max(0, y * scale - tip.offsetHeight - 14)) + "px";
  };
  const hide = () => {
    here.hidden = tip.hidden = true;
  };

  canvas.addEventListener("pointermove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const y = Math.floor(((event.clientY - box.top) / box.height) * rows);
    if (x >= 0 && y >= 0 && x < columns && y < rows) show(cells[y * columns + x]);
  });
  canvas.addEventListener("pointerleave", hide);
  map.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 16 : 1;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (event.key === "Escape") return hide();
    if (event.key === "Home") show(0);
    else if (moves[event.key]) {
      const [x, y] = point(Math.max(shown, 0));
      const clamp = (value, most) => Math.max(0, Math.min(most - 1, value));
      const [right, down] = moves[event.key];
      show(cells[clamp(y + down, rows) * columns + clamp(x + right, columns)]);
    } else return;
    event.preventDefault();
  });

  const read4 = (text) => {
    const octets = text.split(".");
    if (octets.length !== 4 || !octets.every((o) => /^\d{1,3}$/.test(o) && Number(o) < 256)) return null;
    return octets.reduce((bits, octet) => bits * 256n + BigInt(octet), 0n);
  };
  const read6 = (text) => {
    const halves = text.split("::");
    if (halves.length > 2 || !/^[0-9a-f:]+$/i.test(text)) return null;
    const [head, tail] = halves.map((half) => (half ? half.split(":") : []));
    const missing = 8 - head.length - (tail ? tail.length : 0);
    if (tail ? missing < 1 : missing !== 0) return null;
    const groups = [...head, ...Array(tail ? missing : 0).fill("0"), ...(tail || [])];
    if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
    return groups.reduce((bits, group) => bits * 65536n + BigInt("0x" + group), 0n);
  };
  const find = (text) => {
    const bits = (data.v6 ? read6 : read4)(text.trim());
    const found = document.getElementById("found");
    if (bits === null) {
      found.textContent = text.trim() ? "no address of this kind" : "";
      return hide();
    }
    const cell = (bits - network) >> shift;
    if (bits < network || cell >= BigInt(columns * rows)) {
      found.textContent = "not on this map";
      return hide();
    }
    found.textContent = "";
    show(Number(cell));
  };
  const field = document.getElementById("find");
  if (data.v6) field.placeholder = "2001:db8::7";
  field.addEventListener("input", () => find(field.value));
  field.form.addEventListener("submit", (event) => event.preventDefault());
  const linked = () => {
    const address = decodeURIComponent(location.hash.slice(1));
    if (address) find((field.value = address));
  };
  addEventListener("hashchange", linked);
  linked();
})();
