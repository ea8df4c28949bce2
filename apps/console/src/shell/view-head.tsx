import type { ComponentChildren } from 'preact';

export interface ViewHeadProps {
  title: string;
  lead: string;
  children?: ComponentChildren;
}

/** What a view is called and is for, and what holds for all of it. */
export function ViewHead({ title, lead, children }: ViewHeadProps) {
  return (
    <header class="view-head">
      <div>
        <h1>{title}</h1>
        <p class="lead">{lead}</p>
      </div>
      {children}
    </header>
  );
}
