/** Something that keeps Node's event loop running while it is referenced: a child process, a socket. */
export type LoopHandle = { ref(): unknown; unref(): unknown }

/**
 * Decides whether our handles keep the program running. They do while somebody waits for a task, and do not
 * otherwise: a program that starts a task and falls off its end must end, and leave the task running.
 */
export class KeepAlive {
  readonly #handles = new Set<LoopHandle>()
  #holders = 0

  /** Adds a handle in the present mood; returns its removal. */
  add(handle: LoopHandle): () => void {
    this.#handles.add(handle)
    if (this.#holders > 0) handle.ref()
    else handle.unref()
    return () => this.#handles.delete(handle)
  }

  /**
   * The same for one end of a pipe, until it is closed: each ref() and unref() of a closed socket leaves a
   * listener behind, for ever.
   */
  addStream(stream: NodeJS.EventEmitter): () => void {
    const remove = this.add(stream as unknown as LoopHandle)
    stream.once('close', remove)
    return remove
  }

  /** Keeps the loop running until the returned function is called (once or more often). */
  hold(): () => void {
    if (this.#holders++ === 0) for (const handle of this.#handles) handle.ref()
    let held = true
    return () => {
      if (!held) return
      held = false
      if (--this.#holders === 0) for (const handle of this.#handles) handle.unref()
    }
  }

  /** Holds while the promise is unsettled. */
  async while<Value>(promise: Promise<Value>): Promise<Value> {
    const release = this.hold()
    try {
      return await promise
    } finally {
      release()
    }
  }
}
