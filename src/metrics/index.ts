export { type Metrics, type MetricsOptions, type MetricsRegister, metrics } from './metrics.ts'
