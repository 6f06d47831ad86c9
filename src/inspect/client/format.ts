/** Numbers and times for a reader: short, of an even width, and with no more precision than is read. */
import { cut, cutStart } from "../../domain/cut.ts"

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/** A duration in its two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`, `12 d 4 h`. */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (large: number, unit: string, small: number, smaller: string) =>
    small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smaller}`
  if (whole < minute) return `${whole} s`
  if (whole < hour) return two(Math.floor(whole / minute), "min", whole % minute, "s")
  if (whole < day) return two(Math.floor(whole / hour), "h", Math.floor((whole % hour) / minute), "min")
  return two(Math.floor(whole / day), "d", Math.floor((whole % day) / hour), "h")
}

/** For a narrow column: `4s`, `3m`, `2h`, `12d`. */
export const age = (seconds: number): string => {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < minute) return `${whole}s`
  if (whole < hour) return `${Math.floor(whole / minute)}m`
  if (whole < day) return `${Math.floor(whole / hour)}h`
  return `${Math.floor(whole / day)}d`
}

/** The time until something is due: `0:07`, `4:48`, `2:03:10`. Never below zero: that it is due is shown elsewhere. */
export const countdown = (seconds: number): string => {
  const whole = Math.max(0, Math.ceil(seconds))
  const pad = (part: number) => String(part).padStart(2, "0")
  const tail = pad(whole % minute)
  return whole < hour
    ? `${Math.floor(whole / minute)}:${tail}`
    : `${Math.floor(whole / hour)}:${pad(Math.floor((whole % hour) / minute))}:${tail}`
}

/** `950`, `12.3k`, `4.1M`: three significant digits. */
export const count = (n: number): string => {
  const scaled = (by: number, unit: string) => {
    const value = n / by
    return `${value < 100 ? value.toFixed(1).replace(/\.0$/, "") : Math.floor(value)}${unit}`
  }
  if (n < 1_000) return String(n)
  if (n < 999_950) return scaled(1_000, "k")
  return n < 999_950_000 ? scaled(1_000_000, "M") : scaled(1_000_000_000, "G")
}

/** `12.30 USD`; below a cent two significant digits: `0.0016 USD`. */
export const money = ({ amount, currency }: { readonly amount: number; readonly currency: string }): string =>
  `${amount > 0 && amount < 0.01 ? amount.toLocaleString("en-GB", { maximumSignificantDigits: 2 }) : amount.toFixed(2)} ${currency}`

/** All digits, in groups: `12 345`. */
export const digits = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f")

export const bytes = (n: number): string => {
  if (n < 1_024) return `${n} B`
  const units = ["KiB", "MiB", "GiB", "TiB"]
  let value = n
  let unit = ""
  for (const next of units) {
    if (value < 1_024) break
    value /= 1_024
    unit = next
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

/** A format of times. It is made when it is needed, and kept: to make one takes longer than to write thirty times with it. */
const formatOf = (options: Intl.DateTimeFormatOptions): ((at: Date) => string) => {
  let made: Intl.DateTimeFormat | undefined
  return (at) => {
    if (Number.isNaN(at.getTime())) return String(at)
    made ??= new Intl.DateTimeFormat("en-GB", options)
    return made.format(at)
  }
}

const hms = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const
const ofTime = formatOf(hms)
const ofMillis = formatOf({ fractionalSecondDigits: 3, ...hms })
const ofDay = formatOf({ day: "numeric", month: "short" })
const inFull = formatOf({ dateStyle: "long", timeStyle: "medium" })

/** The time of day in the reader's time zone, with the date where it is not today. */
export const clockTime = (seconds: number, nowSeconds: number, withMillis = false): string => {
  const at = new Date(seconds * 1000)
  const time = withMillis ? ofMillis(at) : ofTime(at)
  const isToday = at.toDateString() === new Date(nowSeconds * 1000).toDateString()
  return isToday ? time : `${ofDay(at)} ${time}`
}

/** In full, for a tooltip. */
export const fullTime = (seconds: number): string => inFull(new Date(seconds * 1000))

/** The beginning and the end of a long text that differs in both, such as an id. */
export const shortened = (text: string, chars = 18): string =>
  text.length <= chars ? text : `${cut(text, Math.ceil(chars * 0.6))}…${cutStart(text, Math.floor(chars * 0.4) - 1)}`

export const plural = (n: number, one: string, many = `${one}s`): string => `${digits(n)} ${n === 1 ? one : many}`
