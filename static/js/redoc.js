// Start ReDoc without what a strict content policy or an offline school forbids.
const container = document.getElementById("redoc");
const FONT = "system-ui, sans-serif";

window.Redoc.init(
  container.dataset.schemaUrl,
  {
    disableSearch: true, // its worker is made from a blob: address
    hideDownloadButton: false,
    theme: {
      colors: { primary: { main: "#1c6b4a" } },
      typography: {
        fontFamily: FONT,
        headings: { fontFamily: FONT },
        code: { fontFamily: "ui-monospace, monospace" },
      },
    },
  },
  container,
);
