// Times and amounts in the reader's language and time zone, and the choice of colours.
(() => {
  const language = navigator.languages;
  const styles = {
    date: { day: "numeric", month: "short", year: "numeric" },
    time: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
    clock: { hour: "2-digit", minute: "2-digit" },
  };
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  const day = 86400, month = 30.44 * day, year = 365.25 * day;
  const steps = [["year", year, 2 * year], ["month", month, 2 * month], ["day", day, day], ["hour", 3600, 3600], ["minute", 60, 0]];

  function ago(at) {
    const seconds = (at - Date.now()) / 1000;
    const [unit, size] = steps.find(([, , from]) => Math.abs(seconds) >= from);
    return relative.format(Math.trunc(seconds / size), unit);
  }

  function say(element) {
    if (element.matches("time[datetime]")) {
      const iso = element.getAttribute("datetime");
      const day = iso.length === 10;
      const at = new Date(iso);
      if (isNaN(at)) return;
      const style = element.dataset.style ?? "date";
      const full = new Intl.DateTimeFormat(language, { ...styles.time, ...(day && { hour: undefined, minute: undefined }) });
      const text = style === "ago" ? ago(at)
        : new Intl.DateTimeFormat(language, { ...styles[style], ...(day && { timeZone: "UTC" }) }).format(at);
      if (element.textContent !== text) element.textContent = text;
      if (!element.title && style !== "time") element.title = full.format(at);
    } else if (element.matches("data[data-currency]")) {
      const currency = element.dataset.currency;
      const options = currency ? { style: "currency", currency, maximumFractionDigits: 0 } : { maximumFractionDigits: 0 };
      const text = new Intl.NumberFormat(language, options).format(Number(element.getAttribute("value")));
      if (element.textContent !== text) element.textContent = text;
    }
  }

  // Numbers come as the SI writes them: thousands apart by thin spaces, an invisible mark behind a decimal point.
  const numbers = /\d{1,3}(?:\u202f\d{3})+|\d+\.\u2060\d+/g, marked = /\u202f|\u2060/, foreign = "blockquote, pre, code, textarea";

  function number(text) {
    const digits = (text.split("\u2060")[1] ?? "").length;
    const format = new Intl.NumberFormat(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return format.format(Number(text.replace(/\u202f|\u2060/g, "")));
  }

  function sayNumbers(text) {
    if (!marked.test(text.data) || text.parentElement?.closest(foreign)) return;
    const said = text.data.replace(numbers, number);
    if (said !== text.data) text.data = said;
  }

  function sayAllNumbers(root) {
    if (root.nodeType === Node.TEXT_NODE) return sayNumbers(root);
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) sayNumbers(texts.currentNode);
  }

  // A row's small line of scores from −100 to 100, with a dotted line at 0 and a dot at the last one.
  const SVG = "http://www.w3.org/2000/svg";
  const signed = (value) => (value > 0 ? "+" : value < 0 ? "−" : "") + Math.round(Math.abs(value));

  function shape(tag, attributes) {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function drawLine(element) {
    const values = element.dataset.points.split(",").map((text) => (text === "" ? null : Number(text)));
    const place = (value, index) => [4 + (92 * index) / Math.max(1, values.length - 1), 14 - value * 0.12];
    const picture = shape("svg", { viewBox: "0 0 100 28", "aria-hidden": "true" });
    picture.append(shape("path", { d: "M0 14H100", class: "zero" }));
    let path = "", last = null;
    values.forEach((value, index) => {
      if (value === null) return;
      path += `${index && values[index - 1] !== null ? "L" : "M"}${place(value, index).join(" ")}h0`;
      last = place(value, index);
    });
    if (last) picture.append(shape("path", { d: path, class: "line" }), shape("circle", { cx: last[0], cy: last[1], r: 2.6 }));
    const known = values.filter((value) => value !== null).map(signed);
    element.setAttribute("role", "img");
    element.setAttribute("aria-label", `${element.dataset.name}: NPS by month ${known.join(", ") || "unknown"}`);
    element.title = known.length ? `NPS by month: ${known.join(", ")}` : "Nobody has answered";
    element.replaceChildren(picture);
  }

  const wanted = "time[datetime], data[data-currency]", lines = ".spark[data-points]";
  const sayAll = (root) => {
    if (root.nodeType !== Node.ELEMENT_NODE) root = root.parentElement;
    if (!root) return;
    if (root.matches(wanted)) say(root);
    root.querySelectorAll(wanted).forEach(say);
    if (root.matches(lines)) drawLine(root);
    root.querySelectorAll(lines).forEach(drawLine);
  };
  new MutationObserver((changes) => {
    const shell = document.getElementById("shell");
    if (shell && document.querySelector("#app main")) {
      shell.remove();
      // Charts may come late, with their figures; what draws them is read meanwhile.
      if (document.querySelector("main[data-charts]")) import("nicegui-echart").catch(() => null);
      // On a narrow screen the page one is on may lie beyond the edge of the navigation.
      for (const here of document.querySelectorAll("nav [aria-current]")) {
        here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 16;
      }
    }
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach((added) => (sayAll(added), sayAllNumbers(added)));
      if (change.type === "characterData") sayNumbers(change.target);
      if (change.type !== "childList" || change.target.matches?.(wanted)) sayAll(change.target);
    }
  }).observe(document, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["datetime", "value", "data-points"],
  });

  // Browsers give the clipboard to pages over HTTPS only; elsewhere the text is selected and copied the old way.
  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      source.select();
      document.execCommand("copy");
    }
    const said = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = said), 2000);
  }

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest?.("[data-theme]")?.dataset.theme;
    if (chosen) {
      document.cookie = `tellback_theme=${chosen};path=/;max-age=31536000;samesite=lax`;
      location.reload();
    }
    if (event.target.closest?.("[data-print]")) window.print();
    const copied = event.target.closest?.("[data-copy]");
    if (copied) copy(copied);
    const menu = document.querySelector("details.me[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("change", (event) => event.target.closest?.("form[data-auto]")?.requestSubmit());
  // An address holds what was chosen, and nothing else.
  document.addEventListener("formdata", (event) => {
    if (!event.target.matches("form[data-auto]")) return;
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });
  document.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.me[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
