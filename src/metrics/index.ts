export { type Metrics, type MetricsOptions, metrics } from './metrics.ts'
