export { type RunningGateway, runGateway } from './run-gateway.ts';
