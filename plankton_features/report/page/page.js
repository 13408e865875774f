"use strict";
// Class names and paths are data: they reach the page as textContent only.
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;

  const make = (tag, className = "", textContent = "") =>
    Object.assign(document.createElement(tag), { className, textContent });
  const put = (parent, ...children) => { parent.append(...children); return parent; };
  const percent = (share) =>
    share > 0 && share < 0.0005 ? "<0.1 %" : `${(100 * share).toFixed(1).replace(/\.0$/, "")} %`;
  const images = (n) => `${n.toLocaleString("en")} ${n === 1 ? "image" : "images"}`;
  // Text that may be broken after underscores and slashes.
  const breakable = (text) => text.split(/(?<=[_/])/).flatMap((part) => [part, make("wbr")]);
  const nameOf = (text) => (text.trim() ? text : "(no name)");

  // ---- light and dark -------------------------------------------------------------------------

  function startTheme(redraw) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    let before;
    const turn = (theme) => {
      if (theme) root.dataset.theme = theme;
      else delete root.dataset.theme;
      redraw();
    };
    const isDark = () => (root.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
    $("theme").addEventListener("click", () => turn(isDark() ? "light" : "dark"));
    dark.addEventListener("change", redraw);
    addEventListener("beforeprint", () => { before = root.dataset.theme; turn("light"); });
    addEventListener("afterprint", () => turn(before));
  }

  // ---- tables ---------------------------------------------------------------------------------

  function valueOf(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.value === undefined) return cell.textContent.trim().toLowerCase();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  }

  const compare = (a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(b));

  function sortBy(table, column) {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, value: valueOf(row, column) }));
    const numeric = rows.some(({ value }) => typeof value === "number");
    const [first, other] = numeric ? ["descending", "ascending"] : ["ascending", "descending"];
    const way = heads[column].getAttribute("aria-sort") === first ? other : first;
    const sign = way === "ascending" ? 1 : -1;
    // What has no value stays last, whichever way.
    const byValue = (a, b) => sign * compare(a.value, b.value);
    rows.sort((a, b) => (a.value === null) - (b.value === null) || byValue(a, b));
    heads.forEach((head, i) => head.setAttribute("aria-sort", i === column ? way : "none"));
    table.tBodies[0].append(...rows.map(({ row }) => row));
  }

  function startTables() {
    for (const table of document.querySelectorAll("table.sortable")) {
      [...table.tHead.rows[0].cells].forEach((head, i) => {
        head.querySelector("button").addEventListener("click", () => sortBy(table, i));
      });
    }
    const filter = $("filter");
    if (!filter) return;
    const rows = [...$("class-table").tBodies[0].rows];
    filter.addEventListener("input", () => {
      const part = filter.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(part);
      const shown = rows.filter((row) => !row.hidden).length;
      $("filter-count").textContent = `${shown} of ${rows.length} classes`;
    });
  }

  // ---- vignettes of a cell --------------------------------------------------------------------

  function startPanel(data, countOf) {
    const panel = $("panel");
    let opener = null;

    function vignette([path, , , probability, size, image]) {
      const shown = { src: image, alt: `Vignette ${path}`, width: 96, height: 96 };
      const picture = image ? Object.assign(make("img"), shown) : make("div", "none", "no picture");
      return put(make("figure"), picture, put(make("figcaption"), make("b", "", probability),
        make("span", "size", size), put(make("span", "path name"), ...breakable(path))));
    }

    function close() {
      panel.hidden = true;
      root.classList.remove("with-panel");
      opener.focus({ preventScroll: true });
    }

    $("panel-close").addEventListener("click", close);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !panel.hidden) close();
    });

    return function show(i, j, from) {
      const [a, b] = [i, j].map((k) => nameOf(data.classes[k]));
      const count = countOf(i, j);
      const of = (x, y) => data.rows.filter((row) => row[1] === x && row[2] === y);
      const rows = of(i, j);
      opener = from;
      const title = i === j ? `${a}, rightly named` : `${a} → ${b}`;
      $("panel-title").replaceChildren(...breakable(title));
      $("panel-text").textContent =
        `${images(count)}: ${percent(count / (data.support[i] || 1))} of true, ` +
        `${percent(count / (data.predicted[j] || 1))} of predicted. ` +
        (rows.length < count ? `${rows.length || "None"} of them listed here. ` : "") +
        (rows.some((row) => !row[5]) || !rows.length ? data.note : "");
      const strips = [[`Labelled ${a}, predicted ${b}`, rows]];
      if (i !== j) strips.push([`Rightly named ${a}`, of(i, i)], [`Rightly named ${b}`, of(j, j)]);
      const part = (title, some) =>
        put(make("div", "strip"), make("h4", "", title), ...some.map(vignette));
      $("panel-body").replaceChildren(
        ...strips.filter((one) => one[1].length).map((one) => part(...one)));
      panel.hidden = false;
      panel.scrollTop = 0;
      root.classList.add("with-panel");
      $("panel-title").focus({ preventScroll: true });
    };
  }

  // ---- confusion matrix -----------------------------------------------------------------------

  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const ZOOMS = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, 0: 0 };

  function startMatrix(data, countOf, show) {
    const K = data.classes.length;
    const names = data.classes.map(nameOf);
    const largest = data.cells.reduce((most, one) => Math.max(most, one[2]), 1);
    const most = Math.max(1, ...data.support, ...data.predicted);
    const [canvas, tip, values, orders] = ["canvas", "tip", "values", "order"].map(
      (part) => $(`matrix-${part}`));
    const context = canvas.getContext("2d");
    let order, place, left, top, side, cell, ramp, paint, x0 = 0, y0 = 0, here = null;

    const fit = () => side / K;
    const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
    const byShare = () => values.value === "share";
    const onRamp = (n, of) => (byShare() ? Math.sqrt(n / of) : Math.log1p(n) / Math.log1p(largest));
    const setFont = (size, weight = "") => {
      context.font = `${weight} ${size}px system-ui, sans-serif`;
    };

    function restart() {
      order = data.orders[orders.value];
      place = [];
      order.forEach((k, position) => { place[k] = position; });
      const style = getComputedStyle(root);
      paint = Object.fromEntries(["ink", "muted", "line", "soft", "band", "ramp"].map(
        (name) => [name, style.getPropertyValue(`--${name}`).trim()]));
      ramp = paint.ramp.split(/,\s*/).map(
        (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
      drawLegend();
      choose(null);
    }

    function drawLegend() {
      const ticks = byShare() ? [0.01, 0.1, 0.25, 0.5, 1] : [1, Math.ceil(largest / 10), largest];
      $("matrix-ticks").replaceChildren(...ticks.map((value) => {
        const tick = make("span", "", byShare() ? percent(value) : value.toLocaleString("en"));
        tick.style.left = `${100 * onRamp(value, 1)}%`;
        return tick;
      }));
    }

    function shade(value) {
      const at = clamp(value, 0, 1) * (ramp.length - 1);
      const low = Math.min(ramp.length - 2, Math.floor(at));
      return ramp[low].map((c, i) => Math.round(c + (ramp[low + 1][i] - c) * (at - low)));
    }

    function layout() {
      const width = canvas.parentElement.clientWidth;
      const ratio = devicePixelRatio || 1;
      setFont(12);
      const longest = 14 + Math.max(...names.map((text) => context.measureText(text).width));
      left = Math.min(longest, width * 0.26, 200);
      top = Math.min(longest, 140);
      side = Math.max(60, Math.min(width - left - 46, K * 72, Math.max(320, innerHeight * 0.78)));
      const [w, h] = [left + side + 46, top + side + 42];
      [canvas.width, canvas.height] = [Math.round(w * ratio), Math.round(h * ratio)];
      [canvas.style.width, canvas.style.height] = [`${w}px`, `${h}px`];
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      cell = fit();
      moveTo(0, 0);
    }

    function moveTo(x, y) {
      [x0, y0] = [x, y].map((value) => clamp(value, Math.min(0, side - K * cell), 0));
      canvas.style.touchAction = cell > fit() * 1.01 ? "none" : "pan-y";
      draw();
    }

    function zoom(factor, x = side / 2, y = side / 2) {
      const [column, row] = [(x - x0) / cell, (y - y0) / cell];
      cell = clamp(cell * factor, fit(), Math.max(fit(), 44));
      moveTo(x - column * cell, y - row * cell);
    }

    function shortened(text, width) {
      let length = text.length;
      const shown = () => (length < text.length ? `${text.slice(0, length)}…` : text);
      while (length && context.measureText(shown()).width > width) length -= 1;
      return shown();
    }

    function clip(x, y, w, h, angle) {
      context.save();
      context.translate(left, top);
      context.rotate(angle);
      context.beginPath();
      context.rect(x, y, w, h);
      context.clip();
    }

    // Names before the cells and totals behind them: of rows (way -1), of columns turned (way 1).
    function drawAxis(way, start, room, counts, chosen) {
      const step = Math.ceil(12 / cell);
      const aligned = way < 0 ? ["right", "left"] : ["left", "right"];
      clip(-2000, -6, 4000, side + 12, way > 0 ? -Math.PI / 2 : 0);
      for (let p = 0; p < K; p += 1) {
        const [at, n, isChosen] = [start + (p + 0.5) * cell, counts[order[p]], p === chosen];
        if (at < 0 || at > side) continue;
        context.fillStyle = isChosen ? paint.soft : paint.line;
        context.fillRect(-way * (side + 4), at - cell * 0.4, -way * 38 * Math.sqrt(n / most),
          Math.max(1, cell * 0.8));
        context.fillStyle = isChosen ? paint.ink : paint.muted;
        setFont(10);
        context.textAlign = aligned[1];
        if (cell >= 12) context.fillText(n.toLocaleString("en"), -way * (side + 7), at);
        // The chosen name always; of the others as many as have room.
        const hasRoom = p % step === 0 && (chosen === null || Math.abs(p - chosen) * cell >= 12);
        if (!isChosen && !hasRoom) continue;
        setFont(clamp(cell * 0.75, 10, 12), isChosen ? "bold" : "");
        context.textAlign = aligned[0];
        context.fillText(shortened(names[order[p]], room - 10), way * 6, at);
      }
      context.restore();
    }

    function drawCells() {
      clip(0, 0, side, side, 0);
      context.textAlign = "center";
      setFont(clamp(cell * 0.3, 10, 14));
      context.fillStyle = paint.band;
      if (here) context.fillRect(0, y0 + here[0] * cell, side, cell);
      if (here) context.fillRect(x0 + here[1] * cell, 0, cell, side);
      const filled = Math.max(1, cell - (cell >= 10 ? 1 : 0));
      for (const [i, j, n] of data.cells) {
        const [x, y] = [x0 + place[j] * cell, y0 + place[i] * cell];
        const rgb = shade(onRamp(n, data.support[i]));
        context.fillStyle = `rgb(${rgb})`;
        context.fillRect(x, y, filled, filled);
        if (cell < 26) continue;
        context.fillStyle = 0.3 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2] > 140 ? "#000" : "#fff";
        const share = `${Math.round((100 * n) / data.support[i]) || "<1"}${cell > 36 ? "%" : ""}`;
        const text = byShare() ? share : n.toLocaleString("en");
        context.fillText(text, x + cell / 2, y + cell / 2);
      }
      Object.assign(context, { strokeStyle: paint.ink, lineWidth: 2 });
      if (here) context.strokeRect(x0 + here[1] * cell, y0 + here[0] * cell, cell, cell);
      context.restore();
    }

    function draw() {
      const [row, column] = here || [null, null];
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.textBaseline = "middle";
      drawAxis(-1, y0, left, data.support, row);
      drawAxis(1, x0, top, data.predicted, column);
      drawCells();
      Object.assign(context, { strokeStyle: paint.line, lineWidth: 1 });
      context.strokeRect(left - 0.5, top - 0.5, side + 1, side + 1);
    }

    function choose(next) {
      here = next;
      if (side) draw();
      tip.hidden = !here;
      if (!here) return;
      const [i, j] = here.map((position) => order[position]);
      const n = countOf(i, j);
      const lines = [`true: ${names[i]}`, `predicted: ${names[j]}`,
        `${images(n)}, ${percent(n / (data.support[i] || 1))} of true`];
      tip.replaceChildren(...lines.map((text) => make("div", "", text)));
      const [x, y] = [left + x0 + here[1] * cell, top + y0 + here[0] * cell];
      const isWide = x + cell + 12 + tip.offsetWidth > canvas.clientWidth;
      tip.style.left = `${Math.max(0, isWide ? x - tip.offsetWidth - 12 : x + cell + 12)}px`;
      tip.style.top = `${y + cell + 8}px`;
    }

    function goTo(i, j, least) {
      const [row, column] = [place[i], place[j]];
      if (cell < least) zoom(least / cell);
      const isOut = (start, p) => start + p * cell < 0 || start + (p + 1) * cell > side;
      if (isOut(x0, column) || isOut(y0, row)) {
        moveTo(side / 2 - (column + 0.5) * cell, side / 2 - (row + 0.5) * cell);
      }
      choose([row, column]);
      $("matrix-live").textContent = tip.innerText;
    }

    function open() {
      show(order[here[0]], order[here[1]], canvas);
      const bottom = canvas.getBoundingClientRect().top + top + y0 + (here[0] + 1) * cell + 24;
      scrollBy(0, Math.max(0, bottom - $("panel").getBoundingClientRect().top));
    }

    const inside = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left - left, event.clientY - box.top - top];
    };
    const cellAt = (event) => {
      const [x, y] = inside(event);
      if (Math.min(x, y) < 0 || Math.max(x, y) >= side) return null;
      return [Math.floor((y - y0) / cell), Math.floor((x - x0) / cell)];
    };
    const blur = () => { if ($("panel").hidden) choose(null); };
    const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    const fingers = new Map();
    let moved = false;
    const events = {
      pointerdown(event) {
        fingers.set(event.pointerId, event);
        moved = fingers.size > 1;
        canvas.setPointerCapture(event.pointerId);
      },
      pointermove(event) {
        const last = fingers.get(event.pointerId);
        if (!last) choose(cellAt(event));
        if (!last || (!moved && apart(event, last) < 5)) return;
        moved = true;
        const other = [...fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
        if (other) zoom(apart(event, other) / Math.max(1, apart(last, other)), ...inside(other));
        else moveTo(x0 + event.clientX - last.clientX, y0 + event.clientY - last.clientY);
        fingers.set(event.pointerId, event);
      },
      pointerup(event) {
        fingers.delete(event.pointerId);
        if (moved || !cellAt(event)) return;
        choose(cellAt(event));
        open();
      },
      pointercancel: (event) => fingers.delete(event.pointerId),
      pointerleave: () => document.activeElement === canvas || blur(),
      blur,
      wheel(event) {
        if (!event.ctrlKey && document.activeElement !== canvas) return;
        event.preventDefault();
        zoom(Math.exp(-event.deltaY / 300), ...inside(event));
      },
      keydown(event) {
        const step = STEPS[event.key];
        const factor = ZOOMS[event.key];
        const next = here && step ? [here[0] + step[0], here[1] + step[1]] : [0, 0];
        if (step) goTo(...next.map((p) => order[clamp(p, 0, K - 1)]), 0);
        else if (factor !== undefined) zoom(factor);
        else if ((event.key === "Enter" || event.key === " ") && here) open();
        else return;
        event.preventDefault();
      },
    };
    for (const [name, work] of Object.entries(events)) {
      canvas.addEventListener(name, work, { passive: false });
    }
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.addEventListener("click", () => zoom(Number(button.dataset.zoom)));
    }
    for (const control of [orders, values]) control.addEventListener("change", restart);
    restart();
    new ResizeObserver(layout).observe(canvas.parentElement);
    return { restart, goTo };
  }

  function startConfusions() {
    const data = JSON.parse($("payload").textContent);
    const at = (i, j) => i * data.classes.length + j;
    const filled = new Map(data.cells.map(([i, j, n]) => [at(i, j), n]));
    const count = (i, j) => filled.get(at(i, j)) || 0;
    const show = startPanel(data, count);
    const matrix = startMatrix(data, count, show);
    document.addEventListener("click", (event) => {
      const from = event.target.closest("[data-cell], [data-row]");
      if (!from) return;
      const { row, cell } = from.dataset;
      const [i, j] = (cell || `${row},${row}`).split(",").map(Number);
      matrix.goTo(i, j, cell ? 0 : 16);
      if (cell) show(i, j, from);
    });
    return matrix.restart;
  }

  startTables();
  startTheme($("payload") ? startConfusions() : () => {});
})();
