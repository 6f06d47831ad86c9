/** The form of a question: a labelled input for each field, sent as a whole. What was typed stays where it is refused. */
import { useEffect, useRef, useState } from "preact/hooks"
import type { Approval } from "../../contract.ts"
import { problemFrom } from "../../client/api.ts"
import { api, say, sayProblem } from "../store.ts"
import { Confirm } from "../ui/Confirm.tsx"
import { answersOf, draftOf, refusedField } from "./drafts.ts"
import type { Draft, Drafts, Field } from "./drafts.ts"
import { refresh } from "./inbox.ts"
import { QuestionInput } from "./QuestionInput.tsx"

interface Props {
  readonly approval: Approval
  readonly fields: ReadonlyArray<Field>
}

export const QuestionForm = ({ approval: { approval_id, session_id, title }, fields }: Props) => {
  const [drafts, setDrafts] = useState<Drafts>({})
  const [isBusy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<{ readonly id: string | null; readonly text: string } | undefined>()
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    if (refusal?.id != null) form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus()
  }, [refusal])

  const decline = async () => {
    try {
      say((await api.answer(session_id, approval_id, { decision: "deny" })).note)
    } catch (cause) {
      sayProblem(cause)
    }
    await refresh()
  }
  const send = async () => {
    setBusy(true)
    setRefusal(undefined)
    try {
      say((await api.answer(session_id, approval_id, { decision: "once", answers: answersOf(fields, drafts) })).note)
      await refresh()
    } catch (cause) {
      const problem = problemFrom(cause)
      if (problem.status === 400) setRefusal(refusedField(fields, problem.detail))
      else {
        sayProblem(cause)
        await refresh()
      }
    }
    setBusy(false)
  }
  return (
    <form
      ref={form}
      class="question"
      aria-label={title}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        if (!isBusy) void send()
      }}
    >
      {fields.map((field, nth) => (
        <QuestionInput
          key={field.id}
          field={field}
          name={`${approval_id}-${nth}`}
          draft={draftOf(drafts, field)}
          isInvalid={refusal?.id === field.id}
          change={(draft: Draft) => setDrafts((before) => ({ ...before, [field.id]: draft }))}
        />
      ))}
      <p class="question-refusal" role="alert">
        {refusal?.text}
      </p>
      <div class="approval-answers">
        <button type="submit" class="button primary" disabled={isBusy}>
          Send the answer
        </button>
        <Confirm tone="danger" again="Really decline?" run={decline}>
          Decline
        </Confirm>
      </div>
    </form>
  )
}
