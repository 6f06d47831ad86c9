/** When a used-up account may be asked again, where the agent's words say so. */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

/** Codex (0.169): `try again at 5:46 PM.`, or `Mar 17th, 2030 5:46 PM` on another day than today; its local time. */
const ofCodex = new RegExp(
  `try again at (?:(${months.join("|")}) (\\d{1,2})(?:st|nd|rd|th), (\\d{4}) )?(\\d{1,2}):(\\d{2}) ([ap])m\\b`,
  "i"
)
/** Claude Code, where it says more than that there is a limit: `usage limit reached|1900000000`, in Unix seconds. */
const ofClaude = /limit reached\|(\d{10})\b/i

const minuteMillis = 60_000

/** In milliseconds since 1970. `saidAt`: without it a time of day means nothing. The agent has the time zone we have. */
export const resetIn = (said: string, saidAt: number | null): { readonly retryAt?: number } => {
  const seconds = ofClaude.exec(said)?.[1]
  if (seconds !== undefined) return { retryAt: Number(seconds) * 1_000 }
  const [found, month, day, year, hours, minutes, half] = ofCodex.exec(said) ?? []
  if (found === undefined || (month === undefined && saidAt === null)) return {}
  const date = new Date(saidAt ?? 0)
  if (month !== undefined) date.setFullYear(Number(year), months.indexOf(month.toLowerCase()), Number(day))
  date.setHours((Number(hours) % 12) + (half?.toLowerCase() === "p" ? 12 : 0), Number(minutes), 0, 0)
  // The seconds are left out, so it is some time in that minute.
  const retryAt = date.getTime() + minuteMillis
  return Number.isNaN(retryAt) ? {} : { retryAt }
}
