/** W3C Trace Context: the header `traceparent`, and what agents are given. https://www.w3.org/TR/trace-context/ */

export interface Trace {
  readonly traceId: string
  readonly spanId: string
  readonly sampled: boolean
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** `null`: it is none, which the standard has ignored. */
export const traceIn = (text: string): Trace | null => {
  const [, version, traceId = "", spanId = "", flags = "", more] = form.exec(text) ?? []
  if (version === undefined || version === "ff" || (version === "00" && more !== undefined)) return null
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export const traceparentOf = ({ sampled, spanId, traceId }: Trace): string =>
  `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`
