/**
 * Draw the charts of a report from the tables below them.
 *
 * The tables are the truth: they are there without a script and for a screen reader. A
 * drawing that is on the page folds its table away, and paper unfolds it.
 */
const library = document.querySelector("link[data-charts]").href;
const { Chart } = await import(library);

const language = document.documentElement.lang;
const isRightToLeft = document.documentElement.dir === "rtl";
const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const DAYS = {
  day: { day: "numeric", month: "short" },
  week: { day: "numeric", month: "short" },
  month: { month: "short", year: "2-digit" },
};
const drawn = [];

for (const figure of document.querySelectorAll("figure[data-chart]")) {
  if (figure.querySelector("canvas")) draw(figure);
}

// Colours come from the style sheet, which changes with the theme and on paper.
for (const query of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(query).addEventListener("change", recolour);
}
addEventListener("beforeprint", () => fold(false));
addEventListener("afterprint", () => fold(true));

function draw(figure) {
  figure.querySelector(".drawing").hidden = false;
  const make = figure.dataset.chart === "trend" ? trend : weekdays;
  const chart = new Chart(figure.querySelector("canvas"), make(figure));
  drawn.push({ figure, chart, make });
  figure.querySelector("details").open = false;
}

function recolour() {
  for (const { figure, chart, make } of drawn) {
    const { data, options } = make(figure);
    Object.assign(chart, { data, options });
    chart.update();
  }
}

function fold(isFolded) {
  for (const { figure, chart } of drawn) {
    figure.querySelector("details").open = !isFolded;
    chart.resize();
  }
}

function trend(figure) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  const days = new Intl.DateTimeFormat(language, { ...DAYS[figure.dataset.step], timeZone: "UTC" });
  const labels = rows.map((row) => days.format(new Date(row.querySelector("time").dateTime)));
  const rates = rows.map((row) => share(row.dataset.rate));
  const green = colour("--green");
  const lowest = Math.min(...rates.filter((rate) => rate !== null));
  const line = {
    data: rates,
    borderColor: green,
    backgroundColor: green,
    borderWidth: 2,
    pointRadius: 3,
    pointHitRadius: 12,
    spanGaps: true,
    clip: 8, // a point at 100 % is whole
  };
  // A line shows a change, so its axis begins near its lowest point, on a tenth.
  const low = Math.max(0, Math.floor(lowest * 10 - 0.5) / 10);
  return { type: "line", data: { labels, datasets: [line] }, options: options({ min: low, max: 1 }) };
}

function weekdays(figure) {
  const rows = [...figure.querySelectorAll("tbody tr")];
  const words = figure.querySelector("canvas").dataset;
  const bars = ["absent", "late"].map((name) => ({
    label: words[name],
    data: rows.map((row) => share(row.dataset[name])),
    backgroundColor: colour(`--bar-${name}`),
    maxBarThickness: 48,
  }));
  const labels = rows.map((row) => row.dataset.name);
  const found = options({ beginAtZero: true, suggestedMax: 0.1 });
  found.scales.x.stacked = found.scales.y.stacked = true;
  Object.assign(found.scales.x.ticks, { align: "center", autoSkip: false });
  return { type: "bar", data: { labels, datasets: bars }, options: found };
}

function options(range) {
  const ink = colour("--ink-soft");
  const font = { family: getComputedStyle(document.body).fontFamily, size: 13 };
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "index", intersect: false },
    plugins: { tooltip: tooltip(font) },
    scales: {
      x: {
        reverse: isRightToLeft,
        border: { color: colour("--rule-strong") },
        grid: { display: false },
        ticks: { color: ink, font, align: "inner", maxRotation: 0, autoSkipPadding: 28 },
      },
      y: {
        ...range,
        position: isRightToLeft ? "right" : "left",
        border: { display: false },
        grid: { color: colour("--rule") },
        ticks: { color: ink, font, maxTicksLimit: 6, callback: (value) => percent.format(value) },
      },
    },
  };
}

function tooltip(font) {
  return {
    rtl: isRightToLeft,
    textDirection: isRightToLeft ? "rtl" : "ltr",
    backgroundColor: colour("--ink"),
    titleColor: colour("--sheet"),
    bodyColor: colour("--sheet"),
    titleFont: font,
    bodyFont: font,
    displayColors: false,
    callbacks: {
      label: ({ dataset, parsed }) => [dataset.label, percent.format(parsed.y)].filter(Boolean).join(": "),
    },
  };
}

function share(text) {
  return text === "" ? null : Number(text);
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
