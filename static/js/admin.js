// Names the boxes that search while one types: select2 draws them without their label.

function nameOf(select) {
  if (select.labels?.length) return select.labels[0].textContent.trim().replace(/:$/, "");
  const cell = select.closest("td");
  const heading = cell?.closest("table")?.querySelectorAll("thead th")[cell.cellIndex];
  return heading?.textContent.trim() ?? "";
}

function nameBoxes() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const name = select.getAttribute("aria-label") ?? nameOf(select);
    const box = select.nextElementSibling;
    if (!name || !box?.classList.contains("select2")) continue;
    const parts = box.querySelectorAll("[role=combobox], [role=textbox], [role=searchbox], input");
    for (const part of parts) {
      part.removeAttribute("aria-labelledby");
      part.setAttribute("aria-label", name);
    }
  }
}

// select2 draws its boxes when it likes: at the start, with a new row, when one opens.
new MutationObserver(nameBoxes).observe(document.body, { childList: true, subtree: true });
nameBoxes();
