/** Runs `body` with a variable of this process's own environment set, and puts back what was there. */
export async function withVariable(name: string, value: string, body: () => Promise<void>): Promise<void> {
  const before = process.env[name]
  process.env[name] = value
  try {
    await body()
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}
