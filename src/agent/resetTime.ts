/** Reads from an agent's words when a used-up account can be used again. */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** Codex (0.169): `try again at 5:46 PM.`, or `Mar 17th, 2030 5:46 PM` on another day than today; its local time. */
const ofCodex = new RegExp(
  `try again at (?:(${months.join("|")}) (\\d{1,2})(?:st|nd|rd|th), (\\d{4}) )?(\\d{1,2}):(\\d{2}) ([ap])m\\b`,
  "i"
)
/** Claude Code, where it says when: `usage limit reached|1900000000`, in Unix seconds. */
const ofClaude = /limit reached\|(\d{10})\b/i

const minuteMillis = 60_000

/** `retryAt` is in milliseconds since 1970. `writtenAt` dates a time of day; the agent has the same time zone as we. */
export const resetIn = (words: string, writtenAt: number | null): { readonly retryAt?: number } => {
  const seconds = ofClaude.exec(words)?.[1]
  if (seconds !== undefined) return { retryAt: Number(seconds) * 1_000 }
  const [match, month, day, year, hours, minutes, half] = ofCodex.exec(words) ?? []
  if (match === undefined || (month === undefined && writtenAt === null)) return {}
  const date = new Date(writtenAt ?? 0)
  if (month !== undefined) date.setFullYear(Number(year), months.indexOf(month.toLowerCase()), Number(day))
  date.setHours((Number(hours) % 12) + (half?.toLowerCase() === "p" ? 12 : 0), Number(minutes), 0, 0)
  // The agent leaves the seconds out, so the reset is some time in that minute.
  const retryAt = date.getTime() + minuteMillis
  return Number.isNaN(retryAt) ? {} : { retryAt }
}
