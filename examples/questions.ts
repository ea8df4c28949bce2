export interface Question {
  text: string;
  language: 'en' | 'vi';
  /** File of corpus/ whose passage has to come first. */
  expectedFile: string;
}

/** Asked without a filter: each has to find its document among all of them, whatever their language. */
export const questions: readonly Question[] = [
  {
    text: 'Does a bidder forfeit its bid security when it refuses to sign the contract?',
    language: 'en',
    expectedFile: 'bid-security.pdf',
  },
  {
    text: 'How can a debarred supplier win back trust by self-cleaning?',
    language: 'en',
    expectedFile: 'debarment.epub',
  },
  {
    text: 'How are points for quality and points for price added up?',
    language: 'en',
    expectedFile: 'evaluation-criteria.pptx',
  },
  {
    text: 'Nhà thầu không được hoàn trả bảo đảm thực hiện hợp đồng trong những trường hợp nào?',
    language: 'vi',
    expectedFile: 'bao-dam-thuc-hien-hop-dong.pdf',
  },
  {
    text: 'tinh huong cap bach nao thi duoc chi dinh thau ngay',
    language: 'vi',
    expectedFile: 'chi-dinh-thau.txt',
  },
];
