import { describeUnless } from '@sluice/testing';
import { inject } from 'vitest';

/** `describe` for a suite that runs ONNX models. */
export function describeWithOnnx(title: string, define: () => void): void {
  const missing = inject('onnxMissing');
  describeUnless(missing === '' ? undefined : `no ONNX runtime; ${missing}`, title, define);
}
