// Who comes back from a provider need not press the button.
document.querySelector("[data-send-now]").submit();
