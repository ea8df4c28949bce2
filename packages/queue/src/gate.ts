/** What passes waits while the gate is shut. */
export interface Gate {
  passed(): Promise<void>;
  shut(): void;
  open(): void;
}

export function createGate(): Gate {
  let barrier: PromiseWithResolvers<void> | undefined;
  return {
    passed: () => barrier?.promise ?? Promise.resolve(),
    shut() {
      barrier ??= Promise.withResolvers();
    },
    open() {
      barrier?.resolve();
      barrier = undefined;
    },
  };
}
