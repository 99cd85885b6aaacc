// Says once that somebody is there: the first time they move, scroll, touch or type. A load alone says nothing, since
// scanners of mails load pages with their scripts. `scroll` is no such event: scripts scroll too, and it counts as trusted.
const kinds = ["pointerdown", "pointermove", "wheel", "touchmove", "keydown"];
function tell(event) {
  if (!event.isTrusted) return;
  for (const kind of kinds) removeEventListener(kind, tell);
  const body = new URLSearchParams({ opened: "yes" });
  fetch(location.pathname, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => {});
}
for (const kind of kinds) addEventListener(kind, tell, { passive: true });
