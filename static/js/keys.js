/** Digits choose a status for the student whose row has the focus, and nowhere else. */
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const row = event.target.closest?.("[data-keys] [data-row]");
  const button = row?.querySelectorAll(".status")[event.key - 1];
  if (!button) return;
  event.preventDefault();
  button.click();
});
