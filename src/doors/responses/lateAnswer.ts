/** The answer of a turn that takes long: proxies cut a connection that is silent for a minute, and JSON may begin with spaces. */

const silentMillis = 30_000
const signEveryMillis = 15_000

/** `instead`: the answer where `whole` fails after the headers were sent. */
export const lateAnswer = async <A>(whole: Promise<A>, instead: () => Promise<A>): Promise<Response> => {
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(() => late.resolve(null), silentMillis)
  const first = await Promise.race([whole.then((value) => ({ value })), late.promise]).finally(() =>
    clearTimeout(timer)
  )
  if (first !== null) return Response.json(first.value)

  const encoder = new TextEncoder()
  let sign: NodeJS.Timeout | undefined
  const body = new ReadableStream<Uint8Array>({
    start: async (controller) => {
      const write = (text: string) => controller.enqueue(encoder.encode(text))
      write(" ")
      sign = setInterval(() => write(" "), signEveryMillis)
      try {
        const value = await whole.catch(instead)
        write(JSON.stringify(value))
        controller.close()
      } catch (error) {
        controller.error(error)
      } finally {
        clearInterval(sign)
      }
    },
    cancel: () => clearInterval(sign)
  })
  return new Response(body, { headers: { "content-type": "application/json" } })
}
