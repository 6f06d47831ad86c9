/**
 * Why a prompt can't be given to an agent of ACP: it is a command that begins another conversation under the same id
 * (`/clear` of Claude Code, whose other names are `/new` and `/reset`; opencode, qwen and kimi have the same).
 *
 * What is said after such a command is gone when the agent's process has ended, because a resume brings back the
 * conversation before it (decision 0016).
 */
const begun = /^\s*\/(clear|new|reset)(?=\s|$)/i

/** Completes a sentence that begins with the field; `null`: it can be given. */
export const promptProblem = (prompt: string): string | null => {
  const command = begun.exec(prompt)?.[0].trim()
  return command === undefined
    ? null
    : `begins with ${command}, by which the agent would begin another conversation: what is said in it would be lost when the agent's process ends. Create a new session for a new conversation.`
}
