import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
} from '@grpc/grpc-js'
import type { Message } from './codec.ts'
import { serviceError } from './errors.ts'

/** A call with one answer. Whatever it throws reaches the agent as a status, and nothing else. */
export function unary<Request>(
  answer: (request: Request) => object | Promise<object>,
  toError: (error: unknown) => Partial<ReturnType<typeof serviceError>> = serviceError,
): handleUnaryCall<Message, object> {
  return (call: ServerUnaryCall<Message, object>, reply: sendUnaryData<object>) => {
    Promise.resolve()
      .then(() => answer(call.request as Request))
      .then(
        response => reply(null, response),
        (error: unknown) => reply(toError(error)),
      )
  }
}

/**
 * A stream of answers: `begin` gets a way to send, one to end, and returns what is to be done when the stream
 * is over, by whatever cause.
 */
export function streamOut<Request>(
  begin: (request: Request, out: Out) => () => void,
  toError: (error: unknown) => Partial<ReturnType<typeof serviceError>> = serviceError,
): handleServerStreamingCall<Message, object> {
  return (call: ServerWritableStream<Message, object>) => {
    let over = false
    let cleanUp = () => {}
    const finish = (act: () => void) => {
      if (over) return
      over = true
      cleanUp()
      act()
    }
    const out: Out = {
      send: message => {
        if (!over) call.write(message)
      },
      end: () => finish(() => call.end()),
      fail: error => finish(() => call.emit('error', toError(error))),
    }
    call.on('cancelled', () => finish(() => {}))
    // A connection that breaks while we write: the cancellation says the rest.
    call.on('error', () => {})
    try {
      cleanUp = begin(call.request as Request, out)
      if (over) cleanUp()
    } catch (error) {
      out.fail(error)
    }
  }
}

export type Out = {
  readonly send: (message: object) => void
  readonly end: () => void
  readonly fail: (error: unknown) => void
}

/**
 * A stream both ways. What `talk` rejects with reaches the agent as a status; `cancelled` fires when the
 * agent has gone.
 */
export function streamBoth(
  talk: (call: ServerDuplexStream<Message, object>, cancelled: AbortSignal) => Promise<void>,
): handleBidiStreamingCall<Message, object> {
  return (call: ServerDuplexStream<Message, object>) => {
    const gone = new AbortController()
    call.on('cancelled', () => gone.abort())
    call.on('error', () => gone.abort())
    talk(call, gone.signal).then(
      () => call.end(),
      (error: unknown) => call.emit('error', serviceError(error)),
    )
  }
}
