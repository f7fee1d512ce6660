/** Say something in the page's region for notices, in the page's own words. */

/** Put a fragment into the region. */
export function say(fragment) {
  document.getElementById("notices")?.replaceChildren(fragment);
}

/** Say that the line is lost, and that nothing else is. */
export function sayOffline() {
  const words = document.getElementById("t-offline");
  if (words) say(words.content.cloneNode(true));
}

/** Take it back: the line is there again. */
export function unsayOffline() {
  document.querySelector("#notices [data-offline]")?.remove();
}

/** Say what a RequestFault means; the server's own sentence, where there is one. */
export function sayFailed(fault) {
  const words = document.getElementById("t-failed");
  if (!words) return;
  const { wordsOut, wordsFailed } = words.dataset;
  const said = fault.code === "signed_out" ? wordsOut : wordsFailed;
  const fragment = words.content.cloneNode(true);
  fragment.firstElementChild.textContent =
    fault.detail && fault.detail !== fault.code ? fault.detail : said;
  say(fragment);
}
