// The composition grid: Enter and the arrows go from cell to cell, as in a spreadsheet; along the row only from the
// ends of what is typed, so that it can still be edited.
const grid = document.querySelector("[data-grid]");

grid?.addEventListener("keydown", (event) => {
  const down = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
  const along = { ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0;
  const input = event.target.closest(".cell input");
  if (!input || !(down || along) || event.isComposing || event.shiftKey) return;
  const { selectionStart: from, selectionEnd: to, value } = input;
  if (along && (along < 0 ? from : value.length - to) && !(from === 0 && to === value.length)) return;
  const cell = input.closest("td");
  const row = cell.parentElement.parentElement.rows[cell.parentElement.rowIndex - 1 + down];
  const next = row?.cells[cell.cellIndex + along]?.querySelector("input:not([type=hidden])");
  if (along && !next) return;
  event.preventDefault();
  next?.focus();
  next?.select();
  // On the last row too the field is left, which sends it.
  if (!next && down > 0) event.target.blur();
});

// Who has come back to a cell and typed again keeps it: the next answer is for that.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const input = detail.requestConfig.elt;
  if (grid?.contains(input) && input.value !== detail.requestConfig.parameters[input.name]) detail.shouldSwap = false;
});
