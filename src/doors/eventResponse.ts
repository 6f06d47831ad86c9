/** A response of server-sent events, each made when its reader takes it. `signal` says that nobody reads any more. */
export const eventResponse = (textsOf: (signal: AbortSignal) => AsyncGenerator<string>): Response => {
  const leaving = new AbortController()
  const texts = textsOf(leaving.signal)
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await texts.next()
      if (done === true) return controller.close()
      controller.enqueue(encoder.encode(value))
    },
    cancel: () => {
      leaving.abort()
      // One that a slow reader has not called for the next event would wait for that, and keep its source.
      void texts.return(undefined).catch(() => {})
    }
  })
  return new Response(body, { headers: { "content-type": "text/event-stream; charset=utf-8" } })
}
