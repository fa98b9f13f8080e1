import type { UntypedServiceImplementation } from '@grpc/grpc-js'
import { unary } from '../wire/handlers.ts'

/** Long enough for the answer to leave; the agent kills after two seconds. */
const answerMs = 50

/** How an agent that ends in good order ends its plugins. The tasks go on. */
export function controller(leave: () => void): UntypedServiceImplementation {
  return {
    Shutdown: unary(() => {
      setTimeout(leave, answerMs)
      return {}
    }),
  }
}
