/** A button that prints the page; hidden where there is no script. */
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => window.print());
