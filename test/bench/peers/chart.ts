/** Horizontal bars as SVG: readable without colours, in the light and in the dark. */

type Bar = { readonly name: string; readonly value: number };

const width = 760;
const row = 30;
const names = 330;

export const chartOf = (title: string, bars: readonly Bar[]): string => {
  const most = Math.max(...bars.map(({ value }) => value));
  const height = (bars.length + 1) * row + 16;
  const lines = bars.map(({ name, value }, i) => {
    const y = (i + 1) * row + 8;
    const length = Math.max(1, Math.round(((width - names - 90) * value) / most));
    const isOurs = name.startsWith("dogwatch");
    return `<text x="${names - 8}" y="${y + 15}" text-anchor="end"${isOurs ? ' font-weight="600"' : ""}>${name}</text><rect x="${names}" y="${y}" width="${length}" height="20" fill="currentColor" opacity="${isOurs ? 0.9 : 0.4}"/><text x="${names + length + 6}" y="${y + 15}">${Math.round(value).toLocaleString("en-US")}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}" font-family="system-ui, sans-serif" font-size="13" color="#3b6ea5" fill="#666"><text x="8" y="22" font-weight="600">${title}</text>${lines.join("")}</svg>\n`;
};
