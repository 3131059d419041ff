// At the scale: Enter goes to the next field; leaving a field sends it.
const fields = () => [...document.querySelectorAll("[data-weight]")];

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("[data-weight]")) return;
  event.preventDefault();
  const next = fields()[fields().indexOf(event.target) + 1];
  next?.focus();
  next?.select();
  // On the last one too the field is left, which sends it.
  if (!next) event.target.blur();
});

// Who has come back to a field and typed again keeps it: the next answer is for that.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const input = detail.requestConfig.elt;
  if (input.matches("[data-weight]") && input.value !== detail.requestConfig.parameters[input.name]) detail.shouldSwap = false;
});
