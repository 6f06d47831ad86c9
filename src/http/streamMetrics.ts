/** How many read server-sent events, for `/metrics`. */
import { Metric } from "effect"

const readers = Metric.gauge("troupe_stream_readers", {
  description: "Readers of server-sent events that are connected."
})

export const readerCame = Metric.modify(readers, 1)
export const readerLeft = Metric.modify(readers, -1)
/** Before the first one comes. */
export const noReaderYet = Metric.modify(readers, 0)
