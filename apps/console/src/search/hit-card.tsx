import { useSignal } from '@preact/signals';
import type { HitBody } from '@sluice/contract';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { strings } from '../strings/index.ts';
import { highlight } from './highlight.ts';

function Marked({ text, query }: { text: string; query: string }) {
  return (
    <>{highlight(text, query).map((piece) => (piece.marked ? <mark>{piece.text}</mark> : piece.text))}</>
  );
}

/** The passage, cut after some lines until someone asks for all of it. */
function Passage({ text, query }: { text: string; query: string }) {
  const open = useSignal(false);
  const cut = useSignal(false);
  const box = useRef<HTMLParagraphElement>(null);
  const words = strings.value.search;

  useLayoutEffect(() => {
    const element = box.current;
    if (element) cut.value = element.scrollHeight > element.clientHeight + 1;
  }, [cut]);

  return (
    <>
      <p ref={box} class={open.value ? 'passage' : 'passage cut'}>
        <Marked text={text} query={query} />
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

function Neighbours({ passages }: { passages: NonNullable<HitBody['context']>['before'] }) {
  return (
    <>
      {passages.map(({ chunk_id: id, text }) => (
        <p key={id} class="neighbour">
          {text}
        </p>
      ))}
    </>
  );
}

function Metadata({ metadata, title }: HitBody['document']) {
  // The title is above already.
  const fields = Object.entries(metadata).filter(([, value]) => value !== title);
  if (fields.length === 0) return null;
  return (
    <ul class="chips">
      {fields.map(([key, value]) => (
        <li key={key}>
          {key}: {typeof value === 'string' ? value : JSON.stringify(value)}
        </li>
      ))}
    </ul>
  );
}

/** Without the heading that chunkers begin a passage with: it is shown above already. */
function bodyOf({ text, heading_path: headings }: HitBody): string {
  const heading = headings.at(-1);
  return heading && text.startsWith(`${heading}\n`) ? text.slice(heading.length).trimStart() : text;
}

export interface HitCardProps {
  hit: HitBody;
  query: string;
  /** Of the best hit: scores of different modes cannot be compared, those of one answer can. */
  bestScore: number;
}

export function HitCard({ hit, query, bestScore }: HitCardProps) {
  const { search: words, format } = strings.value;
  const { document, heading_path: headings, context } = hit;
  return (
    <li class="hit">
      <article>
        <header class="row-head">
          <h3 class="name">{document.title ?? document.name}</h3>
          <span class="score">
            <meter
              min={0}
              max={1}
              value={bestScore > 0 ? Math.max(0, hit.score / bestScore) : 0}
              aria-label={words.score}
            />
            {format.score(hit.score)}
          </span>
        </header>
        <p class="small facts where">
          {hit.page !== null && <b>{words.page(hit.page)}</b>}
          {headings.length > 0 && <span class="headings">{headings.join(' › ')}</span>}
          <span>{words.part(hit.ordinal)}</span>
          {document.title && document.title !== document.name && <span>{document.name}</span>}
        </p>
        {context && <Neighbours passages={context.before} />}
        <Passage text={bodyOf(hit)} query={query} />
        {context && <Neighbours passages={context.after} />}
        <Metadata {...document} />
      </article>
    </li>
  );
}
