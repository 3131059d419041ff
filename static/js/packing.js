// In the shed: what is ticked shows at once and is kept in this browser until the server has it, oldest first.
const list = document.querySelector("[data-packing]");
const banner = document.getElementById("connexion");
const kept = `packing ${list?.dataset.packing}`;
const EVERY = 4000;

// Nothing personal: a line's key and yes or no.
const waiting = () => new Map(JSON.parse(localStorage.getItem(kept) ?? "[]"));
const keep = (ticks) =>
  ticks.size ? localStorage.setItem(kept, JSON.stringify([...ticks])) : localStorage.removeItem(kept);

const buttons = list ? [...list.querySelectorAll(".shed-tick")] : [];
const isDone = (button) => button.getAttribute("aria-pressed") === "true";

function mark(button, done) {
  button.setAttribute("aria-pressed", done);
  button.value = `${button.id}:${done ? "non" : "oui"}`;
}

function count() {
  const done = buttons.filter(isDone);
  document.getElementById("fait").textContent = done.length;
  document.getElementById("avance").value = done.length;
  for (const part of list.querySelectorAll("[data-part]")) {
    const own = done.filter(({ id }) => id.startsWith(`${part.dataset.part}-`));
    part.querySelector("[data-done]").textContent = own.length;
  }
}

let told = "";
function tell(what) {
  if (what === told || (what === "back" && !told)) return;
  told = what === "back" ? "" : what;
  banner.textContent = banner.dataset[what] ?? "";
  banner.classList.toggle("packing-back", what === "back");
}

// What others have ticked appears; what waits here is newer than that.
function show(state) {
  const ours = waiting();
  for (const button of buttons) mark(button, ours.get(button.id) ?? state[button.id] ?? isDone(button));
  count();
  const known = buttons.every(({ id }) => id in state) && Object.keys(state).length === buttons.length;
  tell(known ? "back" : "changed");
}

// Refused lines have changed since: they are not the same any more.
async function ask(address, options) {
  const answer = await fetch(address, { ...options, headers: { "HX-Request": "true" }, cache: "no-store" });
  if (!answer.ok && answer.status !== 422) throw new Error(answer.status);
  return answer;
}

let sending = false;
async function meet() {
  if (sending) return;
  sending = true;
  try {
    for (let ticks = waiting(); ticks.size; ticks = waiting()) {
      const [[key, done]] = ticks;
      const body = new FormData(list);
      body.set("coche", `${key}:${done ? "oui" : "non"}`);
      await ask(list.action, { method: "POST", body });
      const since = waiting();
      if (since.get(key) === done) keep((since.delete(key), since));
    }
    show(await (await ask(list.dataset.packing)).json());
  } catch ({ message }) {
    tell(message === "401" || message === "403" ? "out" : "lost");
  } finally {
    sending = false;
  }
}

if (list) {
  list.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    const ticks = waiting();
    mark(button, !isDone(button));
    ticks.delete(button.id); // last said, last sent
    keep(ticks.set(button.id, isDone(button)));
    count();
    meet();
  });
  addEventListener("online", meet);
  addEventListener("offline", () => tell("lost"));
  setInterval(() => document.visibilityState === "visible" && meet(), EVERY);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && meet());
  for (const [key, done] of waiting()) {
    const button = document.getElementById(key);
    if (button) mark(button, done);
  }
  meet();
}
