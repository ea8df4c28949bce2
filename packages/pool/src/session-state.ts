// Statements whose effects on the session outlive their transaction.
const startsWith =
  /(?:^|;)\s*(?:set\b(?!\s+(?:local|transaction|constraints)\b)|reset\b|listen\b|unlisten\b|prepare\b(?!\s+transaction)|deallocate\b|discard\b|load\b|do\b|call\b)/i;
const contains =
  /\bpg_(?:try_)?advisory_lock(?:_shared)?\s*\(|\btemp(?:orary)?\s+(?:table|view|sequence|recursive)\b|\bpg_temp\b|\bwith\s+hold\b|\bdblink_connect|\bsetseed\s*\(|\bupdate\s+(?:only\s+)?(?:pg_catalog\s*\.\s*)?pg_settings\b|(?<!\b(?:insert|merge)\s+)\binto\s+(?:(?:local|global)\s+)?temp(?:orary)?\b/i;
// The third argument says whether it is local to the transaction; what cannot be read off counts as lasting.
const configures = /\bset_config\s*\(/i;
const configuresLocally = /\bset_config\s*\((?:'[^']*'|[^()'])*,\s*true\s*\)/gi;
// What may hold something that looks like a comment, and comments.
const lexemes =
  /\be'(?:[^'\\]|\\[\s\S]|'')*'|'[^']*'|"[^"]*"|(?<![\w$])\$((?:[a-z_]\w*)?)\$[\s\S]*?\$\1\$|--[^\r\n]*|\/\*/gi;
const commentEdges = /\/\*|\*\//g;

/** Comments nest. */
function endOfComment(text: string, from: number): number {
  commentEdges.lastIndex = from;
  for (let depth = 1; depth > 0; ) {
    const edge = commentEdges.exec(text);
    if (!edge) return text.length;
    depth += edge[0] === '/*' ? 1 : -1;
  }
  return commentEdges.lastIndex;
}

function withoutComments(text: string): string {
  let bare = '';
  let from = 0;
  lexemes.lastIndex = 0;
  for (let found = lexemes.exec(text); found; found = lexemes.exec(text)) {
    const [lexeme] = found;
    if (lexeme !== '/*' && !lexeme.startsWith('--')) continue;
    bare += `${text.slice(from, found.index)} `;
    from = lexeme === '/*' ? endOfComment(text, lexemes.lastIndex) : lexemes.lastIndex;
    lexemes.lastIndex = from;
  }
  return bare + text.slice(from);
}

/**
 * Whether a statement may leave something behind in its session: settings, temporary tables, held cursors, session
 * locks, subscriptions. Read off the text, so what a function of the user's does inside is not seen, unless the server
 * reports it (`search_path`, `TimeZone`, ...).
 */
export function changesSession(text: string): boolean {
  const bare = text.includes('--') || text.includes('/*') ? withoutComments(text) : text;
  if (startsWith.test(bare) || contains.test(bare)) return true;
  return configures.test(bare) && configures.test(bare.replace(configuresLocally, ' '));
}

// Texts with their values in them do not come again, and would fill the memory.
const longestKnown = 4_096;

/** Remembers the verdict on the few texts that come again and again. */
export function createSessionStateDetector(capacity = 500): (text: string) => boolean {
  const known = new Map<string, boolean>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const verdict = changesSession(text);
    if (text.length > longestKnown) return verdict;
    if (known.size >= capacity) known.clear();
    known.set(text, verdict);
    return verdict;
  };
}
