/** Null: the reader of standard output has gone away. Else what is wrong with it, or with standard error. */
export type OutputFailure = NodeJS.ErrnoException | null

const exit = (failure: OutputFailure): void => {
  process.exit(failure === null ? undefined : 125)
}
let react = exit
let said = false

/** `holdfast logs | head`: a reader that has gone away is no error. */
export function dieQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // After the first one every write fails.
      if (error.code === 'ERR_STREAM_DESTROYED') return
      if (error.code === 'EPIPE') {
        if (stream === process.stdout) react(null)
        return
      }
      // A full disk, usually. Once, and where it can still be read.
      if (stream === process.stdout && !said)
        process.stderr.write(`holdfast: cannot print: ${error.message}\n`)
      said = true
      react(error)
    })
  }
}

/**
 * What to do instead of exiting when what is printed goes nowhere any more: whoever holds something that
 * would be left unattended must stop it, or name it.
 */
export function whenOutputFails(reaction: (failure: OutputFailure) => void = exit): void {
  react = reaction
}
