// Comforts only: every page works without this file.
"use strict";

// What was just done is said once, not after every reload.
if (location.search.includes("done=")) {
  const address = new URL(location.href);
  address.searchParams.delete("done");
  history.replaceState(null, "", address);
}

// A filter applies itself when it is chosen.
document.querySelectorAll("form.filters select").forEach((select) => {
  select.addEventListener("change", () => select.form.requestSubmit());
});

// One box that ticks all others of that name.
document.querySelectorAll("[data-check-all]").forEach((all) => {
  all.addEventListener("change", () => {
    all.form.querySelectorAll(`input[name="${all.dataset.checkAll}"]`).forEach((box) => { box.checked = all.checked; });
  });
});

// "Copy" beside an address. The text is what stands on the page.
document.querySelectorAll("[data-copy]").forEach((button) => {
  const from = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(from.textContent);
    } catch {
      // Plain http on another machine has no clipboard: select it, so that Ctrl-C does it.
      getSelection().selectAllChildren(from);
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 1600);
  });
});

// A part that says how often it wants to be fresh is fetched again, while somebody is looking.
document.querySelectorAll("[data-refresh-seconds]").forEach((part) => {
  const again = setInterval(async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    const answer = await fetch(location.href, { headers: { "X-Requested-With": "refresh" } }).catch(() => null);
    if (!answer || !answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(part.id);
    if (fresh) part.replaceChildren(...fresh.childNodes);
    if (!fresh || !fresh.dataset.refreshSeconds) clearInterval(again);
  }, Number(part.dataset.refreshSeconds) * 1000);
});

// "/" puts the cursor into the search box, unless somebody is typing something.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target instanceof Element && event.target.closest("input, textarea, select, [contenteditable]")) return;
  document.querySelector(`button[data-key="${CSS.escape(event.key.toLowerCase())}"]`)?.click();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("[data-key='/']");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});

// A choice that decides which fields stand beside it: they are drawn anew by the server, and the cursor stays. Without script a
// button of the same form does it.
document.querySelectorAll("[data-without-script]").forEach((button) => { button.hidden = true; });
document.addEventListener("change", async (event) => {
  const chosen = event.target.closest("[data-refresh]");
  if (!chosen) return;
  const typed = new FormData(chosen.form);
  typed.set("act", "refresh");
  const answer = await fetch(chosen.form.action, { method: "POST", body: new URLSearchParams(typed) }).catch(() => null);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(chosen.dataset.refresh);
  // Another choice was made while this one was on its way: its own answer comes.
  if (fresh && typed.get(chosen.name) === chosen.value) document.getElementById(chosen.dataset.refresh)?.replaceChildren(...fresh.childNodes);
});
