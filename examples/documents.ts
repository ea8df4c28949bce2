/** One file of corpus/, and what is stored with it. */
export interface CorpusDocument {
  file: string;
  /** Stable, so that a second run replaces the document instead of adding it again. */
  externalId: string;
  metadata: { title: string; language: 'en' | 'vi'; topic: string };
}

const document = (file: string, language: 'en' | 'vi', topic: string, title: string): CorpusDocument => ({
  file,
  externalId: `procurement/${file}`,
  metadata: { title, language, topic },
});

export const documents: readonly CorpusDocument[] = [
  document('bid-security.pdf', 'en', 'securities', 'Bid security: what it protects and how it is handled'),
  document('framework-agreements.docx', 'en', 'frameworks', 'Framework agreements'),
  document('evaluation-criteria.pptx', 'en', 'evaluation', 'Evaluation criteria'),
  document(
    'contract-performance-indicators.xlsx',
    'en',
    'contract-management',
    'Contract performance indicators',
  ),
  document('debarment.epub', 'en', 'debarment', 'Debarment'),
  document('open-tender-timeline.html', 'en', 'procedure', 'The timeline of an open tender'),
  document('e-procurement.md', 'en', 'e-procurement', 'Electronic procurement platforms'),
  document('conflicts-of-interest.txt', 'en', 'integrity', 'Conflicts of interest in public procurement'),
  document('bid-rigging-signs.csv', 'en', 'integrity', 'Signs of bid rigging'),
  document(
    'supplier-qualification.json',
    'en',
    'qualification',
    'Qualification of suppliers before the award',
  ),
  document('tender-clarifications.jsonl', 'en', 'procedure', 'Clarifications of a tender for school buses'),
  document('bao-dam-thuc-hien-hop-dong.pdf', 'vi', 'securities', 'Bảo đảm thực hiện hợp đồng'),
  document('ke-hoach-lua-chon-nha-thau.docx', 'vi', 'planning', 'Kế hoạch lựa chọn nhà thầu'),
  document('giai-quyet-kien-nghi.md', 'vi', 'review', 'Giải quyết kiến nghị trong đấu thầu'),
  document('chi-dinh-thau.txt', 'vi', 'procedure', 'Chỉ định thầu: khi nào được áp dụng'),
  document('lien-danh-nha-thau.txt', 'vi', 'consortiums', 'Liên danh nhà thầu'),
];

export const corpusFolder = new URL('corpus/', import.meta.url);
