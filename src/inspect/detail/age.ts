/** A duration in words: its two largest units. */
export const age = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds))
  for (const [nth, [name, size]] of units.entries()) {
    if (whole < size) continue
    const [under, part] = units[nth + 1] ?? ["", 0]
    const rest = part === 0 ? 0 : Math.floor((whole % size) / part)
    return `${Math.floor(whole / size)} ${name}${rest === 0 ? "" : ` ${rest} ${under}`}`
  }
  return "0 s"
}

const units: ReadonlyArray<readonly [name: string, seconds: number]> = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1]
]
