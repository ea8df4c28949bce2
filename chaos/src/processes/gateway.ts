/** A gateway in a process of its own, as `sluice gateway` runs it. */
process.once('disconnect', () => process.exit(1));
// Imported only now: what it loads takes a while, and whoever has started it may be gone before that is over.
const { runGateway } = await import('@sluice/gateway');
const gateway = await runGateway(process.env);
process.once('SIGTERM', () => void gateway.stop().then(() => process.exit(0)));
process.send?.('started');

export {};
