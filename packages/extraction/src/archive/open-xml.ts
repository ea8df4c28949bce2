import { posix } from 'node:path';
import type { Findings } from '../block.ts';
import { cleanLine } from '../text/clean-text.ts';
import { attribute, parseWholeXml } from './xml.ts';
import type { ZipArchive } from './zip-archive.ts';

export interface Relation {
  type: string;
  /** The name of the part, from the root of the archive. */
  target: string;
}

/** The relations of a part, by id. Empty if it has none. */
export async function readRelations(archive: ZipArchive, part: string): Promise<Map<string, Relation>> {
  const relations = new Map<string, Relation>();
  const folder = posix.dirname(part);
  const name = posix.join(folder, '_rels', `${posix.basename(part)}.rels`);
  if (!archive.has(name)) return relations;
  await parseWholeXml(archive, name, {
    open(element, attributes) {
      const id = attribute(attributes, 'Id');
      const target = attribute(attributes, 'Target');
      if (element !== 'Relationship' || id === null || target === null) return;
      if (attribute(attributes, 'TargetMode') === 'External') return;
      const type = (attribute(attributes, 'Type') ?? '').split('/').at(-1) ?? '';
      relations.set(id, { type, target: posix.resolve('/', folder, target).slice(1) });
    },
  });
  return relations;
}

/** The main part of an Office document. */
export async function mainPart(archive: ZipArchive, usual: string): Promise<string> {
  const relations = await readRelations(archive, '');
  const main = [...relations.values()].find((it) => it.type === 'officeDocument');
  return main !== undefined && archive.has(main.target) ? main.target : usual;
}

const properties: Record<string, string> = {
  creator: 'author',
  subject: 'subject',
  description: 'description',
  keywords: 'keywords',
  created: 'created',
  modified: 'modified',
  language: 'language',
};

/** Title, author and the like, from `docProps/core.xml`. */
export async function readCoreProperties(archive: ZipArchive, findings: Findings): Promise<void> {
  if (!archive.has('docProps/core.xml')) return;
  let text = '';
  await parseWholeXml(archive, 'docProps/core.xml', {
    open: () => {
      text = '';
    },
    text: (piece) => {
      text += piece;
    },
    close(name) {
      const value = cleanLine(text).slice(0, 1000);
      if (value === '') return;
      if (name === 'title') findings.title = value;
      else if (properties[name] !== undefined) findings.metadata[properties[name]] = value;
      text = '';
    },
  });
}
