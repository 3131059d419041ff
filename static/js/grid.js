// The composition grid: Enter and the arrows go up and down a column, as in a spreadsheet.
const grid = document.querySelector("[data-grid]");

grid?.addEventListener("keydown", (event) => {
  const step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || event.isComposing) return;
  event.preventDefault();
  const cell = event.target.closest("td");
  const row = cell.parentElement.parentElement.rows[cell.parentElement.rowIndex - 1 + step];
  const next = row?.cells[cell.cellIndex]?.querySelector("input");
  next?.focus();
  next?.select();
  // On the last row too the field is left, which sends it.
  if (!next && step > 0) event.target.blur();
});

// Who has come back to a cell and typed again keeps it: the next answer is for that.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const input = detail.requestConfig.elt;
  if (grid?.contains(input) && input.value !== detail.requestConfig.parameters[input.name]) detail.shouldSwap = false;
});
