/** `xstate.after.killAgain.session.retiring.killing` is what the machine calls a delay; people call it `after killAgain`. */
export const eventName = (event: string): string => {
  const [, delay] = /^xstate\.after\.([^.]+)\./.exec(event) ?? []
  return delay === undefined ? event : `after ${delay}`
}
