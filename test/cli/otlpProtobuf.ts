/** Reads OTLP's protobuf without the code that wrote it: the wire format, and the numbers of the fields that a test looks at. */

type Fields = ReadonlyMap<number, ReadonlyArray<Buffer | bigint>>

const fieldsOf = (bytes: Buffer): Fields => {
  const fields = new Map<number, Array<Buffer | bigint>>()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) throw new Error("the message is cut")
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error("the message is cut")
    return bytes.subarray(at, (at += length))
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const type = key & 7
    const value = type === 0 ? varint() : type === 1 ? take(8) : type === 5 ? take(4) : take(Number(varint()))
    if (![0, 1, 2, 5].includes(type)) throw new Error(`there is no wire type ${type}`)
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value])
  }
  return fields
}

const messages = (fields: Fields, field: number): ReadonlyArray<Fields> =>
  (fields.get(field) ?? []).map((value) => fieldsOf(value as Buffer))

const text = (fields: Fields, field: number): string => String(fields.get(field)?.[0] ?? "")

const hex = (fields: Fields, field: number): string =>
  (fields.get(field)?.[0] as Buffer | undefined)?.toString("hex") ?? ""

/** `KeyValue`s whose value is a string. */
const stringsIn = (fields: Fields, field: number): Readonly<Record<string, string>> =>
  Object.fromEntries(
    messages(fields, field).flatMap((pair) => {
      const [value] = messages(pair, 2)
      return value?.has(1) === true ? [[text(pair, 1), text(value, 1)]] : []
    })
  )

/** Of an `ExportTraceServiceRequest`. */
export const spansIn = (bytes: Buffer) =>
  messages(fieldsOf(bytes), 1).flatMap((resource) =>
    messages(resource, 2)
      .flatMap((scope) => messages(scope, 2))
      .map((span) => ({
        service: stringsIn(messages(resource, 1)[0] ?? new Map(), 1)["service.name"],
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        name: text(span, 5),
        attributes: stringsIn(span, 9)
      }))
  )

/** The texts of an `ExportLogsServiceRequest`'s records. */
export const logsIn = (bytes: Buffer): ReadonlyArray<string> =>
  messages(fieldsOf(bytes), 1)
    .flatMap((resource) => messages(resource, 2))
    .flatMap((scope) => messages(scope, 2))
    .map((record) => text(messages(record, 5)[0] ?? new Map(), 1))

/** The names of an `ExportMetricsServiceRequest`'s metrics. */
export const metricsIn = (bytes: Buffer): ReadonlyArray<string> =>
  messages(fieldsOf(bytes), 1)
    .flatMap((resource) => messages(resource, 2))
    .flatMap((scope) => messages(scope, 2))
    .map((metric) => text(metric, 1))
