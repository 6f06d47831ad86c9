/** How wide words of 12 px are, of the widest of the usual fonts (DejaVu Sans): nothing here can measure them. */
export const textWidth = (text: string): number => {
  let width = 0
  for (const sign of text) width += narrow.has(sign) ? 4 : wide.has(sign) ? 10.4 : 7.4
  return width
}

const narrow = new Set(" fijlt.,:;'()|")
const wide = new Set("mwMW×+")
