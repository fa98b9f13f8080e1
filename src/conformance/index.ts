export { type Adapter, adapters } from './adapters.ts'
export type { Check, Verdict } from './check.ts'
export {
  checks,
  conformance,
  type ConformanceOptions,
  type ConformanceReport,
  type ConformanceRow,
  runCheck,
} from './conformance.ts'
