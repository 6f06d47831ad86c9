/** What the MCP server of the tests answers, over whatever transport: it has one tool, `poke`. */
export interface McpRequest {
  readonly id?: unknown
  readonly method?: string
  readonly params?: { readonly protocolVersion?: string }
}

/** `annotations`: what the server says of its tool. */
export const resultOf = ({ method, params }: McpRequest, annotations: object = {}): object => {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: "traces", version: "1.0.0" }
      }
    case "tools/list":
      return {
        tools: [
          { name: "poke", description: "Leaves a trace.", inputSchema: { type: "object", properties: {} }, annotations }
        ]
      }
    case "tools/call":
      return { content: [{ type: "text", text: "poked" }] }
    default:
      return {}
  }
}
