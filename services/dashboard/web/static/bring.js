// Sends the chosen file, shows how far it has come, and goes on to the page that shows what it would become.
(() => {
  const broken = "The upload broke off, and nothing was taken. Try again.";

  function send(form) {
    const file = form.querySelector("input[type=file]").files[0];
    const kind = form.querySelector("select").value;
    const said = form.querySelector("[data-said]"), bar = form.querySelector("progress"), go = form.querySelector("button");
    const tell = (text, bad) => {
      said.textContent = text;
      said.className = bad ? "notice bad" : "muted";
    };
    const end = (text) => {
      tell(text, true);
      bar.hidden = true;
      go.disabled = false;
    };
    if (!file) return tell("Choose a file first.", true);
    const most = Number(/\.xls[xm]$/i.test(file.name) ? form.dataset.mostWorkbook : form.dataset.most);
    if (file.size > most) return tell(`The file is too large: at most ${Math.round(most / 1048576)} MB.`, true);
    const request = new XMLHttpRequest();
    request.open("POST", `/bring/upload?${new URLSearchParams({ kind, name: file.name })}`);
    request.setRequestHeader("x-tellback-form", form.dataset.token);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.upload.onprogress = (event) => {
      bar.max = event.total;
      bar.value = event.loaded;
      if (event.loaded === event.total) tell("The file is there and is being read …");
    };
    request.onerror = () => end(broken);
    request.onload = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* a proxy's own page */ }
      if (request.status !== 201) return end(answer.detail ?? broken);
      const known = new URLSearchParams({
        zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "",
        written: new Date(file.lastModified).toISOString(),
      });
      location.assign(`/bring/files/${answer.draft_id}?${known}`);
    };
    bar.hidden = false;
    go.disabled = true;
    tell("Sending …");
    request.send(file);
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-bring]")) return;
    event.preventDefault();
    send(event.target);
  });
})();
