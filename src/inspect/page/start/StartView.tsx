/** Starts a session: which agent, where, what it may do, and with which words or conversation it begins. */
import { useEffect, useRef, useState } from "preact/hooks"
import type { NewSession } from "../../contract.ts"
import type { Agents } from "../../fleetContract.ts"
import { problemFrom } from "../../client/api.ts"
import type { Problem } from "../../client/api.ts"
import { go } from "../app/location.ts"
import { api, isAdmin, sayProblem } from "../store.ts"
import { ProblemBox } from "../ui/Problem.tsx"
import { Picker, TextInput } from "./inputs.tsx"
import { ThreadPicker } from "./ThreadPicker.tsx"
import "./start.css"

export default function StartView() {
  const [offer, setOffer] = useState<Agents | undefined>()
  const [problem, setProblem] = useState<Problem | undefined>()
  const ask = () => {
    setProblem(undefined)
    api.agents().then(setOffer, (cause: unknown) => setProblem(problemFrom(cause)))
  }
  useEffect(ask, [])
  return (
    <main id="view" class="view start" tabIndex={-1} aria-busy={offer === undefined && problem === undefined}>
      <h1>New session</h1>
      {problem === undefined ? null : <ProblemBox problem={problem} onRetry={ask} />}
      {offer === undefined ? (
        problem === undefined ? (
          <p class="dim">Looking for agents…</p>
        ) : null
      ) : (
        <Form {...offer} />
      )}
    </main>
  )
}

const firstOf = ({ agents, default_agent }: Agents): string =>
  agents.some(({ available, name }) => available && name === default_agent)
    ? (default_agent ?? "")
    : (agents.find(({ available }) => available)?.name ?? "")

const Form = (offer: Agents) => {
  const { agents, apps, permissions } = offer
  const [app, setApp] = useState(apps[0] ?? "")
  const [name, setName] = useState(() => firstOf(offer))
  // A person is here to be asked.
  const [word, setWord] = useState("ask")
  const [texts, setTexts] = useState({ cwd: "", model: "", mode: "", effort: "" })
  const [thread, setThread] = useState<string | undefined>()
  const [prompt, setPrompt] = useState("")
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem | undefined>()
  const refusal = useRef<HTMLDivElement>(null)
  useEffect(() => refusal.current?.focus(), [problem])

  const agent = agents.find((each) => each.name === name)
  const owner = isAdmin.value ? app : undefined
  const set = (field: keyof typeof texts) => (text: string) => setTexts((before) => ({ ...before, [field]: text }))
  // What the chosen agent does not have is not sent, also where it was typed for another one.
  const textOf = (field: "model" | "mode" | "effort") =>
    agent?.can[field] === true && texts[field].trim() !== "" ? texts[field].trim() : undefined

  const start = async () => {
    setBusy(true)
    setProblem(undefined)
    const wanted: NewSession = {
      app: owner,
      agent: name,
      cwd: texts.cwd.trim() === "" ? undefined : texts.cwd.trim(),
      permissions: word,
      model: textOf("model"),
      mode: textOf("mode"),
      effort: textOf("effort"),
      thread_id: thread
    }
    try {
      const { session_id } = await api.start(wanted)
      // The session is there, whatever becomes of its first turn.
      if (prompt.trim() !== "") await api.submit(session_id, { prompt }).catch(sayProblem)
      go({ view: "session", id: session_id })
    } catch (cause) {
      setProblem(problemFrom(cause))
      setBusy(false)
    }
  }

  if (isAdmin.value && apps.length === 0)
    return (
      <p class="dim">
        A session belongs to an app, and there is none. <code>troupe app create NAME</code> makes one.
      </p>
    )
  return (
    <form
      class="start-form"
      aria-label="New session"
      onSubmit={(event) => {
        event.preventDefault()
        if (!isBusy) void start()
      }}
    >
      {isAdmin.value ? (
        <Picker label="App" about="Whose the session is, and whose bounds hold." value={app} pick={setApp}>
          {apps.map((each) => ({ value: each }))}
        </Picker>
      ) : null}
      <Picker
        label="Agent"
        about={agent?.available === false ? (agent.hint ?? "It is not available.") : undefined}
        value={name}
        pick={(picked) => {
          setName(picked)
          setThread(undefined)
        }}
      >
        {agents.map((each) => ({
          value: each.name,
          label: each.available ? each.name : `${each.name} (not available)`
        }))}
      </Picker>
      <Picker
        label="Permissions"
        about={permissions.find((each) => each.word === word)?.meaning}
        value={word}
        pick={setWord}
      >
        {permissions.map((each) => ({ value: each.word }))}
      </Picker>
      <TextInput
        label="Directory"
        about="An existing one on the server; else a fresh one that goes with the session."
        value={texts.cwd}
        change={set("cwd")}
        isPath
      />
      <div class="start-row">
        {(["model", "mode", "effort"] as const).map((field) =>
          agent?.can[field] === true ? (
            <TextInput
              key={field}
              label={labels[field]}
              placeholder="the agent's own"
              value={texts[field]}
              change={set(field)}
            />
          ) : null
        )}
      </div>
      {agent?.can.threads === true ? (
        <ThreadPicker key={`${name}/${owner ?? ""}`} agent={name} app={owner} chosen={thread} choose={setThread} />
      ) : null}
      <div class="question-field">
        <label for="start-prompt">
          Prompt <span class="faint">(optional)</span>
        </label>
        <textarea
          id="start-prompt"
          class="field"
          rows={4}
          value={prompt}
          onInput={({ currentTarget }) => setPrompt(currentTarget.value)}
        />
      </div>
      {problem === undefined ? null : (
        <div ref={refusal} tabIndex={-1}>
          <ProblemBox problem={problem} />
        </div>
      )}
      <div class="approval-answers">
        <button type="submit" class="button primary" disabled={isBusy}>
          {isBusy ? "Starting…" : "Start the session"}
        </button>
        <a class="button" href="#/sessions">
          Cancel
        </a>
      </div>
    </form>
  )
}

const labels = { model: "Model", mode: "Mode", effort: "Effort" }
