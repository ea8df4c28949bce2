export type Format =
  | 'text'
  | 'markdown'
  | 'html'
  | 'pdf'
  | 'docx'
  | 'pptx'
  | 'xlsx'
  | 'csv'
  | 'json'
  | 'jsonl'
  | 'epub';

export interface FormatDescription {
  format: Format;
  label: string;
  /** Lower case, without the dot. */
  extensions: readonly string[];
  /** Lower case, without parameters. */
  mediaTypes: readonly string[];
}

const openXml = 'application/vnd.openxmlformats-officedocument';

/** The formats that are read, in the order in which they are listed to people. */
export const formats: readonly FormatDescription[] = [
  { format: 'text', label: 'Plain text', extensions: ['txt', 'text', 'log'], mediaTypes: ['text/plain'] },
  {
    format: 'markdown',
    label: 'Markdown',
    extensions: ['md', 'markdown', 'mdown', 'mkd'],
    mediaTypes: ['text/markdown', 'text/x-markdown'],
  },
  {
    format: 'html',
    label: 'HTML',
    extensions: ['html', 'htm', 'xhtml'],
    mediaTypes: ['text/html', 'application/xhtml+xml'],
  },
  { format: 'pdf', label: 'PDF', extensions: ['pdf'], mediaTypes: ['application/pdf', 'application/x-pdf'] },
  {
    format: 'docx',
    label: 'Word (DOCX)',
    extensions: ['docx', 'docm', 'dotx'],
    mediaTypes: [`${openXml}.wordprocessingml.document`, `${openXml}.wordprocessingml.template`],
  },
  {
    format: 'pptx',
    label: 'PowerPoint (PPTX)',
    extensions: ['pptx', 'pptm', 'ppsx'],
    mediaTypes: [`${openXml}.presentationml.presentation`, `${openXml}.presentationml.slideshow`],
  },
  {
    format: 'xlsx',
    label: 'Excel (XLSX)',
    extensions: ['xlsx', 'xlsm', 'xltx'],
    mediaTypes: [`${openXml}.spreadsheetml.sheet`, `${openXml}.spreadsheetml.template`],
  },
  {
    format: 'csv',
    label: 'CSV',
    extensions: ['csv', 'tsv', 'tab'],
    mediaTypes: ['text/csv', 'application/csv', 'text/tab-separated-values'],
  },
  { format: 'json', label: 'JSON', extensions: ['json'], mediaTypes: ['application/json', 'text/json'] },
  {
    format: 'jsonl',
    label: 'JSON Lines',
    extensions: ['jsonl', 'ndjson'],
    mediaTypes: [
      'application/jsonl',
      'application/x-ndjson',
      'application/x-jsonlines',
      'application/jsonlines',
    ],
  },
  { format: 'epub', label: 'EPUB', extensions: ['epub'], mediaTypes: ['application/epub+zip'] },
];

/** The formats that are ZIP archives inside. */
export const archiveFormats: ReadonlySet<Format> = new Set(['docx', 'pptx', 'xlsx', 'epub']);
