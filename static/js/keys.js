/** Digits press a button of the row that has the focus, and nowhere else. */
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  // There a digit is what somebody writes or searches for.
  if (event.target.matches?.("select, textarea, input:not([type=checkbox])")) return;
  const row = event.target.closest?.("[data-keys] [data-row]");
  const button = row?.querySelectorAll(".status")[event.key - 1];
  if (!button) return;
  event.preventDefault();
  button.click();
});
