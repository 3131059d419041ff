// A round's stops put in order by dragging, with a mouse, a finger or a pen. Its arrows do the same.
let held = null;

const stops = () => [...held.stop.parentElement.children];
const restore = (order) => order[0]?.parentElement?.append(...order);

const show = (root) => root.querySelectorAll("[data-drag]").forEach((handle) => { handle.hidden = false; });
show(document);
document.addEventListener("htmx:load", ({ detail }) => show(detail.elt));

document.addEventListener("pointerdown", (event) => {
  const stop = event.target.closest("[data-drag]")?.closest(".stop");
  if (!stop || event.button || held) return;
  event.preventDefault();
  held = { stop, pointer: event.pointerId, order: [...stop.parentElement.children] };
  stop.classList.add("stop-held");
});

// The others make room around it: what is taken out of the page loses its finger.
document.addEventListener("pointermove", ({ pointerId, clientY }) => {
  if (pointerId !== held?.pointer) return;
  const own = stops().indexOf(held.stop);
  stops().forEach((other, place) => {
    const { top, height } = other.getBoundingClientRect();
    if (place < own && clientY < top + height / 2) held.stop.after(other);
    if (place > own && clientY > top + height / 2) held.stop.before(other);
  });
});

const letGo = (put) => ({ pointerId }) => {
  if (pointerId !== held?.pointer) return;
  const { stop, order } = held;
  const place = stops().indexOf(stop) + 1;
  stop.classList.remove("stop-held");
  held = null;
  if (!put) return restore(order);
  if (place === order.indexOf(stop) + 1) return;
  const form = stop.querySelector("form");
  const values = { csrf_token: form.elements.csrf_token.value, place };
  const failed = () => restore(order);
  form.addEventListener("htmx:sendError", failed, { once: true });
  form.addEventListener("htmx:responseError", failed, { once: true });
  htmx.ajax("POST", form.action, { source: form, target: form.dataset.hxTarget, swap: "outerHTML", values });
};
document.addEventListener("pointerup", letGo(true));
document.addEventListener("pointercancel", letGo(false));
