/** What comes until a signal says that nobody waits any more; then the source is left. */
export async function* untilAborted<A>(source: AsyncIterable<A>, signal: AbortSignal): AsyncGenerator<A> {
  const iterator = source[Symbol.asyncIterator]()
  const aborted = Promise.withResolvers<null>()
  const abort = () => aborted.resolve(null)
  signal.addEventListener("abort", abort, { once: true })
  try {
    while (!signal.aborted) {
      const next = await Promise.race([iterator.next(), aborted.promise])
      if (next === null || next.done === true) return
      yield next.value
    }
  } finally {
    signal.removeEventListener("abort", abort)
    await iterator.return?.()
  }
}
