// The grid of accounts: rows come in blocks as one scrolls, sorted, filtered and searched by the scorer; what is chosen
// stands in the address.
(() => {
  let grid = null, latest = 0;
  const number = new Intl.NumberFormat(navigator.languages);

  function remember(query) {
    const text = query.toString();
    history.replaceState(history.state, "", location.pathname + (text && `?${text}`));
  }

  function say(words) {
    const place = document.querySelector("main .filters [role=status]");
    if (!place) return;
    place.textContent = words;
    place.classList.remove("loading");
  }

  function count(known, whole) {
    if (!known) return noAccounts();
    return `${whole ? "" : "more than "}${number.format(known)} ${known === 1 ? "account" : "accounts"}`;
  }

  async function ask(path, query) {
    const answer = await fetch(`/rows/accounts${path}?${query}`);
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw new Error((await answer.json()).detail);
    return answer.json();
  }

  // Without a filter there are none at all: the buttons above say what to do.
  window.noAccounts = () => {
    const filters = [...new URLSearchParams(location.search).keys()].filter((name) => name !== "sort" && name !== "window");
    return filters.length ? "No accounts match these filters" : "No account is known yet: add one, or bring a file";
  };

  window.accountsReady = (event) => (grid = event.api);

  window.accountRows = () => {
    const cursors = new Map();
    const mine = ++latest;
    let total = null, shown = null;
    function tell() {
      if (mine !== latest || !shown) return; // another choice is being shown by now, or nothing yet
      say(shown.whole ? count(shown.end, true) : count(total ?? shown.end, total !== null));
    }
    return {
      async getRows(asked) {
        const query = new URLSearchParams(location.search);
        const [by] = asked.sortModel;
        query.delete("sort");
        if (by) query.set("sort", (by.sort === "desc" ? "-" : "") + by.colId);
        remember(query);
        try {
          const cursor = asked.startRow ? cursors.get(asked.startRow) : "";
          if (!asked.startRow) ask("/total", query).then((found) => ((total = found.total), tell()), () => null);
          const found = await ask("", new URLSearchParams([...query, ["cursor", cursor]]));
          cursors.set(asked.endRow, found.next);
          const end = asked.startRow + found.rows.length;
          asked.successCallback(found.rows, found.next ? -1 : end);
          shown = { end, whole: !found.next };
          tell();
          grid?.setGridOption("overlayNoRowsTemplate", noAccounts());
          end ? grid?.hideOverlay() : grid?.showNoRowsOverlay();
        } catch (error) {
          asked.failCallback();
          say(error.message);
        }
      },
    };
  };

  function choose(name, value) {
    const query = new URLSearchParams(location.search);
    value ? query.set(name, value) : query.delete(name);
    remember(query);
    grid?.setGridOption("datasource", accountRows());
  }

  let typing = null;
  document.addEventListener("input", (event) => {
    const search = event.target.closest?.("input[data-chooses]");
    if (!search) return;
    clearTimeout(typing);
    typing = setTimeout(() => choose(search.dataset.chooses, search.value.trim()), 150);
  });
  document.addEventListener("change", (event) => {
    const list = event.target.closest?.("select[data-chooses]");
    if (list) choose(list.dataset.chooses, list.value);
  });
})();
