/** A session's register: taps and the history drawer without leaving the page; print. */
import "./keys.js";
import "./parts.js";
import "./swap.js";

const print = document.querySelector("[data-print]");
print.hidden = false;
print.addEventListener("click", () => window.print());
