/** Random inputs: values and texts that programs stumble over, and valid ones with a few things changed. */
import * as fc from "fast-check"

const nested = (levels: number) => JSON.parse("[".repeat(levels) + "]".repeat(levels)) as unknown

/** Texts that somebody's code has stumbled over. */
const oddTexts: ReadonlyArray<string> = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "\udc00x",
  "\u2028",
  "\u001b[2J",
  "\ufeff",
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "%00",
  "%ff",
  "null",
  "NaN",
  "-0",
  "1e309",
  "🙂".repeat(50),
  "x".repeat(5_000),
  "\r\n\r\nHTTP/1.1 200 OK",
  "'; DROP TABLE sessions; --",
  "data: x\n\nevent: y\n\n",
  "e9999999999999999.s1"
]

export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...oddTexts),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 40 })
)

/** Also what no program means to send: holes in numbers, hostile keys, depth. */
export const anyValue: fc.Arbitrary<unknown> = fc.oneof(
  anyText,
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    0.5,
    1e308,
    -1e308,
    2 ** 53,
    Number.MAX_SAFE_INTEGER,
    -(2 ** 63),
    [],
    {},
    [null],
    [[]],
    { "": "" },
    JSON.parse('{"__proto__":{"x":1}}'),
    JSON.parse('{"constructor":{"prototype":{"x":1}}}'),
    JSON.parse('{"toString":1,"valueOf":1,"toJSON":1,"then":1,"length":-1}'),
    nested(50),
    nested(600)
  ),
  fc.jsonValue({ maxDepth: 3 })
)

type Change = readonly [at: number, kind: number, value: unknown, name: string]

const changes: fc.Arbitrary<ReadonlyArray<Change>> = fc.array(fc.tuple(fc.nat(), fc.nat(6), anyValue, anyText), {
  maxLength: 4
})

interface Place {
  readonly holder: Record<string, unknown> | Array<unknown>
  readonly key: string | number
}

const placesIn = (root: unknown): ReadonlyArray<Place> => {
  const places: Array<Place> = []
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null || places.length > 2_000) return
    const holder = value as Record<string, unknown>
    for (const key of Object.keys(holder)) {
      places.push({ holder, key })
      visit(holder[key])
    }
  }
  visit(root)
  return places
}

const applied = (sample: unknown, list: ReadonlyArray<Change>): unknown => {
  const root = { value: structuredClone(sample) }
  for (const [at, kind, shared, name] of list) {
    // The next change may be within it.
    const value = structuredClone(shared)
    const places = placesIn(root)
    const place = places[at % places.length]
    if (place === undefined) continue
    const { holder, key } = place as { readonly holder: Record<string, unknown>; readonly key: string }
    switch (kind) {
      case 0:
        delete holder[key]
        break
      case 1:
        if (Array.isArray(holder)) holder.push(value)
        else Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true })
        break
      case 2:
        holder[key] = [holder[key], structuredClone(holder[key])]
        break
      case 3:
        holder[key] = jsonOf(holder[key])
        break
      case 4:
        holder[key] = { [name === "__proto__" ? "proto" : name]: holder[key] }
        break
      default:
        holder[key] = value
    }
  }
  return root.value
}

/** One of these values, with up to four things in it changed. */
export const changed = (samples: ReadonlyArray<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(fc.nat(samples.length - 1), changes).map(([index, list]) => applied(samples[index], list))

/** A text of bytes with some of them changed, cut, doubled, or put in between. */
export const damaged = (texts: fc.Arbitrary<string>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(texts, fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.uint8Array({ maxLength: 6 })), { maxLength: 3 }))
    .map(([text, damages]) => {
      let bytes = Buffer.from(text)
      for (const [at, kind, inserted] of damages) {
        const place = at % (bytes.length + 1)
        const rest = bytes.subarray(kind === 0 ? place : place + inserted.length)
        bytes = kind === 3 ? bytes.subarray(0, place) : Buffer.concat([bytes.subarray(0, place), inserted, rest])
      }
      return bytes
    })

/** As JSON; a value that has none becomes `null`. */
export const jsonOf = (value: unknown): string => JSON.stringify(value) ?? "null"
