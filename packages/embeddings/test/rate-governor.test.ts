import { createRateGovernor } from '../src/index.ts';
import { rateGovernorContract } from './rate-governor-contract.ts';

rateGovernorContract('the governor of one process', async () => ({
  create: createRateGovernor,
  async [Symbol.asyncDispose]() {},
}));
