import { useSignal } from '@preact/signals';
import type { HitBody } from '@sluice/contract';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { strings } from '../strings/index.ts';
import { highlight } from './highlight.ts';

const words = strings.search;

/** The passage, cut after some lines until someone asks for all of it. */
function Passage({ text, query }: { text: string; query: string }) {
  const open = useSignal(false);
  const cut = useSignal(false);
  const box = useRef<HTMLParagraphElement>(null);

  useLayoutEffect(() => {
    const element = box.current;
    if (element) cut.value = element.scrollHeight > element.clientHeight + 1;
  }, [cut]);

  return (
    <>
      <p ref={box} class={open.value ? 'passage' : 'passage cut'}>
        {highlight(text, query).map((piece) => (piece.marked ? <mark>{piece.text}</mark> : piece.text))}
      </p>
      {cut.value && (
        <button
          type="button"
          class="quiet"
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.value;
          }}
        >
          {open.value ? words.less : words.more}
        </button>
      )}
    </>
  );
}

export function HitCard({ hit, query }: { hit: HitBody; query: string }) {
  const { document, heading_path: headings } = hit;
  return (
    <li class="hit">
      <article>
        <header class="row-head">
          <h3 class="name">{document.title ?? document.name}</h3>
          <span class="score" title={words.score}>
            <span class="visually-hidden">{words.score} </span>
            {words.scoreOf(hit.score)}
          </span>
        </header>
        <p class="small facts">
          {document.title && document.title !== document.name && <span>{document.name}</span>}
          {hit.page !== null && <span>{words.page(hit.page)}</span>}
          <span>{words.part(hit.ordinal)}</span>
          {headings.length > 0 && <span>{headings.join(' › ')}</span>}
        </p>
        <Passage text={hit.text} query={query} />
      </article>
    </li>
  );
}
