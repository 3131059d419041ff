// Small comforts on top of pages that work without them.
const live = document.getElementById("annonce");

function announce(text) {
  live.textContent = "";
  // An emptied region must be seen empty once, or the same words twice stay silent.
  setTimeout(() => (live.textContent = text), 50);
}

// Focus goes to what changed, and the live region says it.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (elt === document.body) return;
  const find = (selector) => (elt.matches(selector) ? elt : elt.querySelector(selector));
  const changed = find("[data-focus]");
  changed?.focus();
  const answer = document.querySelector(".flashes-kept"); // it may be longer than what scrolling leaves free
  if (changed && answer) scrollBy(0, Math.min(0, changed.getBoundingClientRect().top - answer.getBoundingClientRect().bottom - 8));
  const told = find("[data-announce]");
  if (told) announce(told.dataset.announce);
});

// The part of the page that waits says that it waits.
const busy = (value) => ({ detail: { target } }) => target?.setAttribute("aria-busy", value);
document.addEventListener("htmx:beforeRequest", busy("true"));
document.addEventListener("htmx:afterRequest", busy("false"));

// An answer to what has been changed since is not shown: the change asks again by itself.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const { elt, verb, formData } = detail.requestConfig;
  if (verb !== "get" || !(elt instanceof HTMLFormElement)) return;
  if ([...new FormData(elt)].some(([name, value]) => !formData.getAll(name).includes(value))) detail.shouldSwap = false;
});

// A press while another is on its way is not lost: it is made on what comes back.
const pressed = new Map();
document.addEventListener("click", (event) => {
  const button = event.target.closest(".take button");
  if (!button?.form.classList.contains("htmx-request")) return;
  event.preventDefault();
  event.stopPropagation();
  pressed.set(button.id, (pressed.get(button.id) ?? 0) + 1);
}, true);
document.addEventListener("htmx:load", () => {
  for (const [id, times] of [...pressed]) {
    pressed.delete(id);
    if (times > 1) pressed.set(id, times - 1);
    document.getElementById(id)?.click();
  }
});

// Nothing fails in silence.
function fail(text) {
  announce(text);
  const flash = document.getElementById("echec").content.cloneNode(true);
  flash.querySelector("p").textContent = text;
  const region = document.getElementById("flash");
  region.classList.add("flashes-kept");
  region.replaceChildren(flash);
}
document.addEventListener("htmx:sendError", () => fail(live.dataset.lost));
document.addEventListener("htmx:timeout", () => fail(live.dataset.lost));
document.addEventListener("htmx:responseError", ({ detail }) =>
  fail(detail.xhr.status === 503 ? live.dataset.occupied : live.dataset.failed));

document.addEventListener("click", ({ target }) => target.closest("[data-close]")?.closest(".flash").remove());

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.nextElementSibling.hidden = true; // how to print without this script
  button.addEventListener("click", () => print());
}

if (document.querySelector("[data-print-now]")) {
  const address = new URL(location);
  address.searchParams.delete("imprimer"); // not once more when the page is loaded again
  history.replaceState(null, "", address);
  addEventListener("load", () => print());
}

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", shown);
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.lastElementChild.textContent = button.dataset.copied;
    announce(button.dataset.copied);
  });
}

for (const button of document.querySelectorAll("[data-insert]")) {
  const field = document.getElementById(button.dataset.into);
  button.addEventListener("click", () => {
    field.setRangeText(button.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.focus();
  });
}

// htmx notes the path one is on; nothing stays in this browser but the cookie (BAR S3).
const forget = () => sessionStorage.removeItem("htmx-current-path-for-history");
forget();
document.addEventListener("htmx:pushedIntoHistory", forget);
document.addEventListener("htmx:replacedInHistory", forget);
