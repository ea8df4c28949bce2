import { createRandom, type Random } from '@sluice/testing';

/** One sentence of a document. The marker that it begins with says all about it and stands nowhere else. */
export interface Paragraph {
  place: number;
  revision: number;
}

const words = (
  'alder ash beech birch cedar elm fir hazel larch lime maple oak pine poplar rowan spruce willow yew ' +
  'bridge harbour meadow quarry river valley bảo đảm đấu thầu hợp đồng nhà gói tender bid guarantee'
).split(' ');

export function markerOf(document: string, { place, revision }: Paragraph): string {
  return `${document}p${place}r${revision}`;
}

/** A function of document, place and revision alone, so that text which stays between versions is the same text. */
export function sentenceOf(document: string, paragraph: Paragraph): string {
  const marker = markerOf(document, paragraph);
  const random = createRandom(0, marker);
  const tail = Array.from({ length: random.between(4, 9) }, () => random.pick(words)).join(' ');
  return `${marker} stands by the ${tail}.`;
}

/** All markers of a document in a text, in order. */
export function markersIn(document: string, text: string): string[] {
  return text.match(new RegExp(`\\b${document}p\\d+r\\d+\\b`, 'g')) ?? [];
}

export function newParagraphs(count: number): Paragraph[] {
  return Array.from({ length: count }, (_, place) => ({ place, revision: 0 }));
}

/** The next version of a document: some sentences changed, dropped, moved, added. `revision` must be new to the document. */
export function revise(paragraphs: readonly Paragraph[], revision: number, random: Random): Paragraph[] {
  const kept = paragraphs.filter(() => !random.chance(0.1));
  const changed = kept.map((paragraph) =>
    random.chance(0.25) ? { place: paragraph.place, revision } : paragraph,
  );
  const added = newParagraphs(random.between(1, 3)).map(({ place }) => ({
    // A place that no earlier revision has added, else two that change together become the same.
    place: revision * 1_000_000 + place,
    revision,
  }));
  const [moved] = changed.splice(random.between(0, changed.length - 1), 1);
  changed.splice(random.between(0, changed.length), 0, ...(moved ? [moved] : []), ...added);
  return changed;
}
