let onHangUp = (): void => {
  process.exit()
}

/** `holdfast logs | head`: a reader that has gone away is no error. */
export function dieQuietlyWithoutReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') {
        if (stream === process.stdout) onHangUp()
        return
      }
      // A full disk, usually. Once, and where it can still be read.
      if (stream === process.stdout) process.stderr.write(`holdfast: cannot print: ${error.message}\n`)
      process.exit(125)
    })
  }
}

/** What to do instead of exiting when nobody reads standard output any more. */
export function whenReaderGoes(react: () => void): void {
  onHangUp = react
}
