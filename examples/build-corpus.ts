import { writeFile } from 'node:fs/promises';
import { generatedFiles } from './build/generated-files.ts';
import { corpusFolder } from './documents.ts';

for (const [name, build] of Object.entries(generatedFiles)) {
  const bytes = await build();
  await writeFile(new URL(name, corpusFolder), bytes);
  process.stdout.write(`${name}  ${bytes.length} bytes\n`);
}
