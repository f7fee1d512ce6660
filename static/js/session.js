/** A session's register: taps and the history drawer without leaving the page; print. */
import "./keys.js";
import "./print.js";
import "./swap.js";
