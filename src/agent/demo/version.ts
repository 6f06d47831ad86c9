/** The demo agent's own version, apart from the agent so that it can be known without running it. */
export const version = "1.0.0"
