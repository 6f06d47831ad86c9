/** Of a session whose node does not answer: what is not known, in two sentences for a person. */
import type { Unseen } from "../../domain/Session.ts"
import { age } from "./age.ts"

/** `now` is in seconds. */
export const unseenSentence = ({ node, since }: Unseen, now: number): string => {
  const which = node === null ? "Its node" : `Its node, ${node},`
  const howLong = since === null ? "" : ` (last sign of life ${age(now - since / 1000)} ago)`
  return `${which} does not answer${howLong}: what runs for the session is not known. What is stored of it is shown.`
}
